// Charts in plain SVG: they stretch to the width that there is, and CSS colours and moves them. What they show is said
// beside them in words, so they are hidden from screen readers.

const SVG = 'http://www.w3.org/2000/svg';

/**
 * A bar; `set` moves it.
 *
 * @returns {{svg: SVGElement, set: (share: number) => void}}
 */
export function bar() {
  const svg = shape('svg', { class: 'bar', 'aria-hidden': 'true' });
  const fill = shape('rect', { class: 'bar-fill', height: '100%', rx: '4' });
  svg.append(shape('rect', { class: 'bar-track', width: '100%', height: '100%', rx: '4' }), fill);
  return { svg, set: (share) => (fill.style.width = `${100 * share}%`) };
}

/**
 * A column for each count, as high as its part of the highest.
 *
 * @param {number} columns
 * @returns {{svg: SVGElement, set: (counts: readonly number[]) => void}}
 */
export function histogram(columns) {
  const svg = shape('svg', { class: 'histogram', viewBox: `0 0 ${columns} 1`, preserveAspectRatio: 'none', 'aria-hidden': 'true' });
  const fills = Array.from({ length: columns }, (_, i) => {
    const place = { x: String(i + 0.1), width: '0.8', height: '1' };
    const fill = shape('rect', { class: 'column-fill', ...place });
    svg.append(shape('rect', { class: 'column-track', ...place }), fill);
    return fill;
  });
  return {
    svg,
    set(counts) {
      const highest = Math.max(1, ...counts);
      fills.forEach((fill, i) => (fill.style.transform = `scaleY(${(counts[i] ?? 0) / highest})`));
    },
  };
}

/**
 * @param {string} name
 * @param {Record<string, string>} attributes
 * @returns {SVGElement}
 */
function shape(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}
