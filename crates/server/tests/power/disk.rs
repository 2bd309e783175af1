//! What a disk has after a power cut: what was synced, and of the rest what chance wants, sector by sector and in any
//! order.

use std::collections::BTreeMap;
use std::path::Path;

use fastrand::Rng;

use crate::recorder::Event;

/// What was done to a file since its last sync.
#[derive(Clone)]
enum Done {
    Created,
    Wrote { offset: usize, data: Vec<u8> },
    Truncated(usize),
    Removed,
}

#[derive(Clone, Default)]
struct File {
    /// As it was synced; `None`: it was not there.
    synced: Option<Vec<u8>>,
    since: Vec<Done>,
}

/// The files of a folder.
#[derive(Clone)]
pub(crate) struct Disk {
    files: BTreeMap<String, File>,
    /// It says that it has synced, and has not.
    lies: bool,
}

/// How much of what was not synced is there.
struct Luck {
    /// A sector's size, in bytes.
    sector: usize,
    /// Of 256 sectors, how many are there.
    kept: u16,
    /// Of 256 sectors that are there, how many only in part.
    torn: u16,
    /// What was done last is not there at all: nothing comes before its turn.
    is_in_order: bool,
    /// Where a file has grown and nothing was written there is what the disk had there before.
    is_dirty: bool,
}

impl Luck {
    fn new(rng: &mut Rng) -> Self {
        Self {
            sector: [512, 4096][rng.usize(0..2)],
            kept: [0, 25, 128, 230, 256][rng.usize(0..5)],
            torn: [0, 40][rng.usize(0..2)],
            is_in_order: rng.u8(0..4) == 0,
            is_dirty: rng.bool(),
        }
    }
}

impl Disk {
    pub(crate) fn new(lies: bool) -> Self {
        Self { files: BTreeMap::new(), lies }
    }

    fn file(&mut self, name: &str) -> &mut File {
        self.files.entry(name.to_owned()).or_default()
    }

    pub(crate) fn apply(&mut self, event: &Event) {
        match event {
            Event::Created(name) => self.file(name).since.push(Done::Created),
            Event::Opened(name) if !self.files.contains_key(name) => {
                // It was made beside its place, synced, and moved there by the store.
                let made = self.files.remove(&format!("{name}.new")).unwrap();
                self.files.insert(name.clone(), File { synced: Some(made.whole()), since: Vec::new() });
            }
            Event::Opened(_) | Event::Acknowledged { .. } => {}
            Event::Wrote { file: name, offset, data } => {
                self.file(name).since.push(Done::Wrote { offset: *offset, data: data.clone() });
            }
            Event::Truncated { file: name, bytes } => self.file(name).since.push(Done::Truncated(*bytes)),
            Event::Synced(name) if !self.lies => {
                let file = self.file(name);
                // With a log or journal that it has made SQLite syncs the folder.
                if file.is_new() && !name.ends_with(".new") {
                    self.files.values_mut().for_each(File::sync_name);
                }
                let file = self.file(name);
                *file = File { synced: Some(file.whole()), since: Vec::new() };
            }
            Event::Synced(_) => {}
            Event::Removed { file: name, is_synced } => {
                if *is_synced && !self.lies {
                    self.files.remove(name);
                } else {
                    self.file(name).since.push(Done::Removed);
                }
            }
        }
    }

    /// The folder after a power cut. How many bytes of what was not synced are not there.
    pub(crate) fn cut_power(&self, rng: &mut Rng, to: &Path) -> usize {
        let (luck, mut lost) = (Luck::new(rng), 0);
        for (name, file) in &self.files {
            if let Some(content) = file.after_cut(&luck, rng, &mut lost) {
                std::fs::write(to.join(name), content).unwrap();
            }
        }
        // What all processes shared was in memory; of its file anything may be there.
        if rng.bool() {
            let rubbish: Vec<u8> = (0..32_768).map(|_| rng.u8(..)).collect();
            std::fs::write(to.join("messages.db-shm"), rubbish).unwrap();
        }
        lost
    }
}

impl File {
    fn is_new(&self) -> bool {
        self.since.iter().any(|done| matches!(done, Done::Created))
    }

    /// The folder knows what there is under the name; of what is in it nothing is said.
    fn sync_name(&mut self) {
        let is_of_name = |done: &Done| matches!(done, Done::Created | Done::Removed);
        if let Some(last) = self.since.iter().rposition(is_of_name) {
            let made = matches!(self.since[last], Done::Created);
            self.synced = made.then(Vec::new);
            self.since.drain(..=last);
        }
    }

    /// With everything that was done.
    fn whole(&self) -> Vec<u8> {
        let mut content = self.synced.clone().unwrap_or_default();
        for done in &self.since {
            match done {
                Done::Created | Done::Removed => content.clear(),
                Done::Wrote { offset, data } => put(&mut content, *offset, data, None),
                Done::Truncated(bytes) => content.truncate(*bytes),
            }
        }
        content
    }

    fn after_cut(&self, luck: &Luck, rng: &mut Rng, lost: &mut usize) -> Option<Vec<u8>> {
        let mut content = self.synced.clone();
        // What is done to a file that was made anew under the name is not done to the one before it.
        let mut is_this = true;
        let in_order = if luck.is_in_order { rng.usize(0..=self.since.len()) } else { self.since.len() };
        for (n, done) in self.since.iter().enumerate() {
            let is_kept =
                |rng: &mut Rng| if luck.is_in_order { n < in_order } else { rng.u16(0..256) < luck.kept };
            match done {
                Done::Created => {
                    is_this = is_kept(rng);
                    if is_this {
                        content = Some(Vec::new());
                    }
                }
                Done::Removed => {
                    is_this = false;
                    if is_kept(rng) {
                        content = None;
                    }
                }
                Done::Truncated(bytes) if is_this && is_kept(rng) => {
                    if let Some(content) = &mut content {
                        content.truncate(*bytes);
                    }
                }
                Done::Wrote { offset, data } => {
                    for (at, sector) in sectors(*offset, data, luck.sector) {
                        // The one that was being written when the power went.
                        let is_last = luck.is_in_order && n == in_order && rng.bool();
                        let Some(content) = content.as_mut().filter(|_| is_this && (is_last || is_kept(rng)))
                        else {
                            *lost += sector.len();
                            continue;
                        };
                        let is_torn = is_last || rng.u16(0..256) < luck.torn;
                        let cut = if is_torn { rng.usize(0..=sector.len()) } else { 0 };
                        *lost += cut;
                        let (from, to) =
                            if rng.bool() { (cut, sector.len()) } else { (0, sector.len() - cut) };
                        let rubbish = luck.is_dirty.then_some(&mut *rng);
                        put(content, at + from, &sector[from..to], rubbish);
                    }
                }
                _ => {}
            }
        }
        content
    }
}

/// The parts of a write, each in one sector of the disk.
fn sectors(offset: usize, data: &[u8], size: usize) -> impl Iterator<Item = (usize, &[u8])> {
    let (mut at, mut rest) = (offset, data);
    std::iter::from_fn(move || {
        let (part, later) = rest.split_at(rest.len().min(size - at % size));
        let found = (!part.is_empty()).then_some((at, part));
        (at, rest) = (at + part.len(), later);
        found
    })
}

/// Writes; between the end and what is written past it there are zeros, or rubbish.
fn put(content: &mut Vec<u8>, offset: usize, data: &[u8], rubbish: Option<&mut Rng>) {
    let end = offset + data.len();
    let before = content.len();
    if before < end {
        content.resize(end, 0);
        if let Some(rng) = rubbish
            && before < offset
        {
            rng.fill(&mut content[before..offset]);
        }
    }
    content[offset..end].copy_from_slice(data);
}
