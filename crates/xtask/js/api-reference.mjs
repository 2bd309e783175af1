// The reference in `docs/api.md`, made from the declarations in `pkg-template/`: what a comment there says is what the reader gets. Run by `cargo xtask docs`.
//
// Declarations are printed as they are written; typedoc's Markdown prints them as the compiler resolves them, without the names of unions, and what is
// inherited again and again.

import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

/** The compiler that the tests have. */
const ts = createRequire(new URL('../../../tests/package.json', import.meta.url))('typescript');
const TEMPLATE = new URL('../../../pkg-template/', import.meta.url);
export const REFERENCE = fileURLToPath(new URL('../../../docs/api.md', import.meta.url));

const INTRODUCTION = `<!-- Made from the package's types by \`cargo xtask docs\`; do not edit. -->

# API reference

Every function, type and event of the package, as its declarations have it. \`message-extensions/inline\` and \`message-extensions/node\` have the exports of
\`message-extensions\`; [loading.md](loading.md) says which is for what. The codes are in [errors.md](errors.md).
`;

/** Headings as GitHub makes anchors of them: the second of a name gets a number. */
class Headings {
  #seen = new Map();

  anchor(text) {
    const slug = text.toLowerCase().replace(/[^\p{L}\p{N}\- _]/gu, '').replaceAll(' ', '-');
    const times = this.#seen.get(slug) ?? 0;
    this.#seen.set(slug, times + 1);
    return times ? `${slug}-${times}` : slug;
  }
}

/** Each typed entry: the name of its import, and its declarations in groups, as the lines `// --- name` divide them. */
function entries() {
  const { name, exports } = JSON.parse(readFileSync(new URL('package.json', TEMPLATE), 'utf8'));
  const seen = new Set();
  return Object.entries(exports).flatMap(([path, { types }]) => {
    if (!types || seen.has(types)) return [];
    seen.add(types);
    const text = readFileSync(new URL(types, TEMPLATE), 'utf8');
    const file = ts.createSourceFile(types, text, ts.ScriptTarget.ES2022, true);
    const groups = [{ title: undefined, declarations: [] }];
    for (const statement of file.statements) {
      const before = text.slice(statement.getFullStart(), statement.getStart());
      const title = /^\/\/ -+ (.*)$/m.exec(before)?.[1];
      if (title) groups.push({ title: title[0].toUpperCase() + title.slice(1), declarations: [] });
      groups.at(-1).declarations.push(...declared(statement));
    }
    return { name: name + path.slice(1), about: aboutOf(text), groups: groups.filter(({ declarations }) => declarations.length) };
  });
}

const aboutOf = (text) => {
  const comment = /^\/\*\*\n([^]*?)\*\//.exec(text)?.[1] ?? '';
  return comment.replace(/^ \* ?/gm, '').trim();
};

const isExported = ({ modifiers }) => modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword);

/** What a statement exports: `{ name, node, methods? }`; overloads of a method are one. */
function declared(statement) {
  // Types of a file that is itself generated.
  if (ts.isExportDeclaration(statement) && statement.isTypeOnly) {
    return statement.exportClause.elements.filter(({ propertyName }) => !propertyName).map((node) => ({ name: node.name.text, node, isCode: true }));
  }
  if (!isExported(statement) || ts.isExportAssignment(statement)) return [];
  if (ts.isVariableStatement(statement)) {
    const [variable] = statement.declarationList.declarations;
    return [{ name: variable.name.text, node: statement, variable }];
  }
  const methods = new Map();
  for (const member of statement.members ?? []) {
    if (ts.isMethodSignature(member)) methods.set(member.name.text, [...(methods.get(member.name.text) ?? []), member]);
  }
  return [{ name: statement.name.text, node: statement, methods }];
}

/** The whole reference. */
export function reference() {
  const headings = new Headings();
  /** From names, of methods with their type's before it, to anchors: those of the entry that is being printed go before those of the first. */
  let anchors = new Map();
  const all = entries();
  headings.anchor('API reference');
  for (const entry of all) {
    entry.anchor = headings.anchor(entry.name);
    entry.anchors = new Map(all[0].anchors);
    for (const group of entry.groups) {
      for (const { name, methods } of group.declarations) {
        entry.anchors.set(name, headings.anchor(name));
        for (const method of methods?.keys() ?? []) entry.anchors.set(`${name}.${method}`, headings.anchor(`${name}.${method}`));
      }
    }
  }

  const link = (target, shown = target) => {
    const anchor = anchors.get(target) ?? anchors.get(target.split('.')[0]);
    if (!anchor) throw new Error(`{@link ${target}}: there is no such export`);
    return `[\`${shown}\`](#${anchor})`;
  };
  const withLinks = (text) => text.replace(/\{@link ([\w.]+)\}/g, (_, target) => link(target));
  const flat = (text) => text.replace(/\s+/g, ' ').trim();
  const cell = (text) => flat(text).replace(/^\| /, '').replaceAll('|', '\\|');

  /** The comment of a declaration, a paragraph or item each. */
  function comment(node) {
    const found = node.jsDoc?.at(-1);
    if (!found) return [];
    const text = withLinks(ts.getTextOfJSDocComment(found.comment) ?? '');
    const tags = (found.tags ?? []).map((tag) => {
      const said = withLinks(flat(ts.getTextOfJSDocComment(tag.comment) ?? ''));
      if (ts.isJSDocParameterTag(tag)) return `- \`${tag.name.getText()}\`: ${said}`;
      if (ts.isJSDocThrowsTag(tag)) return `Throws a ${link('MessageExtensionError')} ${said}`;
      throw new Error(`@${tag.tagName.text} has no place in the reference`);
    });
    return [text.trim(), ...tags].filter(Boolean);
  }

  /** Which of the package's types stand in a declaration. */
  function uses(nodes, self) {
    const names = new Set();
    const visit = (node) => {
      if (ts.isIdentifier(node) && node.text !== self && anchors.has(node.text) && (ts.isTypeReferenceNode(node.parent) || ts.isTypeQueryNode(node.parent))) names.add(node.text);
      ts.forEachChild(node, visit);
    };
    nodes.forEach(visit);
    return names.size ? [`Types: ${[...names].map((name) => link(name)).join(', ')}`] : [];
  }

  const code = (text) => `\`\`\`ts\n${text}\n\`\`\``;
  const signature = (node) => node.getText().replace(/^export (declare )?/, '').replace(/^ {2}/gm, '');

  function members(nodes) {
    const rows = nodes.map((member) => {
      const { type, questionToken, name } = member;
      return `| \`${name.getText()}${questionToken ? '?' : ''}\` | \`${cell(type.getText().replace(/\/\*\*[^]*?\*\//g, ''))}\` | ${cell(comment(member).join(' '))} |`;
    });
    return ['| name | type | what it is |', '|---|---|---|', ...rows].join('\n');
  }

  function body({ name, node, methods, variable, isCode }) {
    if (isCode) return ['A union of numbers, from the same list as [errors.md](errors.md).'];
    const literal = variable?.type && ts.isTypeLiteralNode(variable.type) ? variable.type : undefined;
    if (ts.isTypeAliasDeclaration(node) || ts.isFunctionDeclaration(node) || (variable && !literal)) {
      return [code(signature(node)), ...comment(node), ...uses([node], name)];
    }
    const parents = (node.heritageClauses ?? []).flatMap(({ types }) => types.map((type) => type.getText()));
    const known = parents.map((parent) => (anchors.has(parent.split('<')[0]) ? link(parent.split('<')[0], parent) : `\`${parent}\``));
    const fields = (literal ?? node).members.filter((member) => member.type && !ts.isMethodSignature(member));
    const parts = [...comment(node)];
    if (node.typeParameters) parts.unshift(code(`interface ${name}<${node.typeParameters.map((parameter) => parameter.getText()).join(', ')}>`));
    if (known.length) parts.push(`What ${known.join(', ')} has, and:`);
    if (fields.length) parts.push(members(fields), ...uses([...fields, ...(node.heritageClauses ?? [])], name));
    for (const [method, overloads] of methods ?? []) {
      parts.push(`#### ${name}.${method}`, code(overloads.map(signature).join('\n')), ...overloads.flatMap(comment), ...uses(overloads, name));
    }
    return parts;
  }

  const parts = [INTRODUCTION.trimEnd()];
  for (const entry of all) {
    anchors = entry.anchors;
    const contents = entry.groups.map(({ title, declarations }) => {
      const names = declarations.map(({ name }) => link(name)).join(' · ');
      return title ? `- ${title}: ${names}` : `- ${names}`;
    });
    parts.push(`## ${entry.name}`, entry.about, contents.join('\n'));
    for (const { declarations } of entry.groups) {
      for (const declaration of declarations) parts.push(`### ${declaration.name}`, ...body(declaration));
    }
  }
  return `${parts.join('\n\n')}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(REFERENCE, reference());
