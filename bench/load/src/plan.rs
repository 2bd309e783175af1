//! What each connection asks for.

use std::sync::atomic::{AtomicU64, Ordering};

/// Between templates' fixed parts.
enum Part {
    Text(String),
    Number,
    Seq,
    Id,
}

pub(crate) struct Connection {
    first: u64,
    step: u64,
    /// The Seq that the last answer had, of each target.
    known: Vec<u64>,
    template: Vec<Part>,
}

/// No two requests have the same id, also of two runs against one server.
static NEXT_ID: AtomicU64 = AtomicU64::new(0);

impl Connection {
    /// A line of the plan.
    pub(crate) fn parse(line: &str) -> Option<Self> {
        let mut fields = line.splitn(4, '\t');
        let first = fields.next()?.parse().ok()?;
        let step = fields.next()?.parse().ok()?;
        let targets = fields.next()?.parse().ok()?;
        let template = parts(fields.next()?);
        Some(Self { first, step, known: vec![0; targets], template })
    }

    pub(crate) fn targets(&self) -> usize {
        self.known.len()
    }

    /// The request's text, for one of the targets.
    pub(crate) fn fill(&self, target: usize) -> String {
        let mut text = String::new();
        for part in &self.template {
            match part {
                Part::Text(fixed) => text.push_str(fixed),
                Part::Number => text.push_str(&(self.first + self.step * target as u64).to_string()),
                Part::Seq => {
                    text.push_str(&self.known.get(target).copied().unwrap_or_default().to_string());
                }
                Part::Id => {
                    let next = NEXT_ID.fetch_add(1, Ordering::Relaxed);
                    text.push_str(&format!("{:016x}{next:016x}", std::process::id()));
                }
            }
        }
        text
    }

    pub(crate) fn know(&mut self, target: usize, seq: u64) {
        if let Some(known) = self.known.get_mut(target) {
            *known = seq;
        }
    }
}

fn parts(mut template: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    loop {
        let found = [("{n}", Part::Number), ("{seq}", Part::Seq), ("{id}", Part::Id)]
            .into_iter()
            .filter_map(|(name, part)| Some((template.find(name)?, name, part)))
            .min_by_key(|(at, ..)| *at);
        let Some((at, name, part)) = found else {
            parts.push(Part::Text(template.to_owned()));
            return parts;
        };
        let (before, after) = template.split_at(at);
        parts.push(Part::Text(before.to_owned()));
        parts.push(part);
        template = after.strip_prefix(name).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_filled_with_number_seq_and_an_id_that_differs() {
        let mut connection = Connection::parse("7\t10\t2\tset m{n} if {seq} {id}").unwrap();
        connection.know(1, 12);
        let (one, other) = (connection.fill(0), connection.fill(1));
        assert!(one.starts_with("set m7 if 0 ") && other.starts_with("set m17 if 12 "), "{one}, {other}");
        assert_ne!(one.split(' ').next_back(), other.split(' ').next_back());
    }
}
