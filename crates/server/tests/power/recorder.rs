//! What SQLite does to its files, in the order in which it does it: the system's own VFS, with a note made of each write,
//! sync, truncation, creation and removal in the folders that a test looks at.
#![allow(
    unsafe_code,
    reason = "SQLite's files are reached by its C interface alone; everything that is unsafe is here"
)]

use std::collections::HashMap;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::path::{Path, PathBuf};
use std::ptr::null;
use std::sync::{Arc, Mutex, MutexGuard, Once};

use rusqlite::ffi;

/// What happened; files are named without their folder.
#[derive(Debug, Clone)]
pub(crate) enum Event {
    Created(String),
    /// A file that was there is opened.
    Opened(String),
    Wrote {
        file: String,
        offset: usize,
        data: Vec<u8>,
    },
    Truncated {
        file: String,
        bytes: usize,
    },
    Synced(String),
    Removed {
        file: String,
        is_synced: bool,
    },
    /// The store has answered: the message has this Seq.
    Acknowledged {
        message: usize,
        seq: u64,
    },
}

/// What `PRAGMA synchronous` is made into, whatever is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Synchronous {
    AsAsked,
    Off,
    Normal,
}

pub(crate) struct Recording {
    dir: PathBuf,
    synchronous: Synchronous,
    events: Mutex<Vec<Event>>,
}

impl Recording {
    /// Notes what is done in this folder from now on, until it is dropped.
    pub(crate) fn of(dir: &Path, synchronous: Synchronous) -> Arc<Self> {
        register();
        let dir = dir.canonicalize().unwrap();
        let recording = Arc::new(Self { dir: dir.clone(), synchronous, events: Mutex::default() });
        lock(&state().recordings).insert(dir, Arc::clone(&recording));
        recording
    }

    pub(crate) fn note(&self, event: Event) {
        lock(&self.events).push(event);
    }

    /// Ends it. What was noted.
    pub(crate) fn end(&self) -> Vec<Event> {
        lock(&state().recordings).remove(&self.dir);
        std::mem::take(&mut lock(&self.events))
    }
}

/// Of an open file.
struct Opened {
    /// The VFS's own.
    methods: &'static ffi::sqlite3_io_methods,
    /// Who notes what is done to it, and its name.
    noted: Option<(Arc<Recording>, String)>,
}

#[derive(Default)]
struct State {
    recordings: Mutex<HashMap<PathBuf, Arc<Recording>>>,
    /// By the address of SQLite's object.
    opened: Mutex<HashMap<usize, Arc<Opened>>>,
    /// The VFS's own methods by their address, and ours in their place.
    methods: Mutex<HashMap<usize, &'static ffi::sqlite3_io_methods>>,
}

fn state() -> &'static State {
    static STATE: std::sync::OnceLock<State> = std::sync::OnceLock::new();
    STATE.get_or_init(State::default)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap()
}

/// The system's own VFS.
struct Inner(ffi::sqlite3_vfs);

// SAFETY: SQLite's VFSs are used by all threads.
unsafe impl Send for Inner {}
// SAFETY: as above; it is never changed.
unsafe impl Sync for Inner {}

static INNER: std::sync::OnceLock<Inner> = std::sync::OnceLock::new();

/// Makes ours the default of this process.
fn register() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: the default VFS is there as long as the process; ours is leaked, so it is as well.
        unsafe {
            assert_eq!(ffi::sqlite3_initialize(), ffi::SQLITE_OK);
            let inner = *ffi::sqlite3_vfs_find(null());
            let ours = ffi::sqlite3_vfs {
                zName: c"recorder".as_ptr(),
                pNext: std::ptr::null_mut(),
                xOpen: Some(open),
                xDelete: Some(delete),
                ..inner
            };
            assert!(INNER.set(Inner(inner)).is_ok());
            assert_eq!(ffi::sqlite3_vfs_register(Box::leak(Box::new(ours)), 1), ffi::SQLITE_OK);
        }
    });
}

/// Who notes what is done to the file of this name, and its name in its folder.
///
/// # Safety
/// `name` is null or text that ends with 0.
unsafe fn noted(name: *const c_char) -> Option<(Arc<Recording>, String)> {
    if name.is_null() {
        return None;
    }
    // SAFETY: so it is said above.
    let path = Path::new(unsafe { CStr::from_ptr(name) }.to_str().ok()?);
    let recording = Arc::clone(lock(&state().recordings).get(path.parent()?)?);
    Some((recording, path.file_name()?.to_str()?.to_owned()))
}

fn opened(file: *mut ffi::sqlite3_file) -> Arc<Opened> {
    Arc::clone(&lock(&state().opened)[&(file as usize)])
}

unsafe extern "C" fn open(
    vfs: *mut ffi::sqlite3_vfs,
    name: ffi::sqlite3_filename,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    // SAFETY: everything is handed on as it came from SQLite. The methods that an open file has are the VFS's, and static.
    unsafe {
        let noted = noted(name);
        let was_there = noted.as_ref().is_some_and(|(recording, name)| recording.dir.join(name).exists());
        let code = INNER.get().unwrap().0.xOpen.unwrap()(vfs, name, file, flags, out_flags);
        if let Some(methods) = (*file).pMethods.as_ref() {
            if let Some((recording, name)) = &noted {
                let name = name.clone();
                recording.note(if was_there { Event::Opened(name) } else { Event::Created(name) });
            }
            (*file).pMethods = ours(methods);
            lock(&state().opened).insert(file as usize, Arc::new(Opened { methods, noted }));
        }
        code
    }
}

/// The same methods with those replaced of which a note is made.
fn ours(methods: &'static ffi::sqlite3_io_methods) -> &'static ffi::sqlite3_io_methods {
    lock(&state().methods).entry(std::ptr::from_ref(methods) as usize).or_insert_with(|| {
        Box::leak(Box::new(ffi::sqlite3_io_methods {
            xClose: Some(close),
            xWrite: Some(write),
            xTruncate: Some(truncate),
            xSync: Some(sync),
            xFileControl: Some(control),
            ..*methods
        }))
    })
}

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    let opened = lock(&state().opened).remove(&(file as usize)).unwrap();
    // SAFETY: handed on as it came; nothing is kept of a file that is closed.
    unsafe { opened.methods.xClose.unwrap()(file) }
}

/// Notes what was done, if it was.
fn note(opened: &Opened, code: c_int, event: impl FnOnce(String) -> Event) -> c_int {
    if let (Some((recording, name)), ffi::SQLITE_OK) = (&opened.noted, code) {
        recording.note(event(name.clone()));
    }
    code
}

unsafe extern "C" fn write(
    file: *mut ffi::sqlite3_file,
    data: *const c_void,
    bytes: c_int,
    offset: ffi::sqlite3_int64,
) -> c_int {
    let opened = opened(file);
    // SAFETY: handed on as it came; SQLite says that so many bytes are there.
    let (code, data) = unsafe {
        let code = opened.methods.xWrite.unwrap()(file, data, bytes, offset);
        (code, std::slice::from_raw_parts(data.cast::<u8>(), usize::try_from(bytes).unwrap()))
    };
    note(&opened, code, |file| Event::Wrote {
        file,
        offset: usize::try_from(offset).unwrap(),
        data: data.to_vec(),
    })
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, bytes: ffi::sqlite3_int64) -> c_int {
    let opened = opened(file);
    // SAFETY: handed on as it came.
    let code = unsafe { opened.methods.xTruncate.unwrap()(file, bytes) };
    note(&opened, code, |file| Event::Truncated { file, bytes: usize::try_from(bytes).unwrap() })
}

/// Nobody cuts the power of the test's own disk, so that is not made to wait.
unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, _: c_int) -> c_int {
    note(&opened(file), ffi::SQLITE_OK, Event::Synced)
}

/// SQLite shows each PRAGMA to the VFS before it does it: here another one can be made of it.
unsafe extern "C" fn control(file: *mut ffi::sqlite3_file, operation: c_int, argument: *mut c_void) -> c_int {
    let opened = opened(file);
    let synchronous =
        opened.noted.as_ref().map_or(Synchronous::AsAsked, |(recording, _)| recording.synchronous);
    let level = match synchronous {
        Synchronous::AsAsked => None,
        Synchronous::Off => Some('0'),
        Synchronous::Normal => Some('1'),
    };
    // SAFETY: for a PRAGMA there is an array of texts: for what SQLite wants to be told, the name, the value or null. The value
    // is SQLite's copy of it, and has room for a character and the end.
    unsafe {
        if let (Some(level), ffi::SQLITE_FCNTL_PRAGMA) = (level, operation) {
            let texts = argument.cast::<*mut c_char>();
            let (name, value) = (*texts.add(1), *texts.add(2));
            if CStr::from_ptr(name) == c"synchronous" && !value.is_null() {
                *value = level as c_char;
                *value.add(1) = 0;
            }
        }
        opened.methods.xFileControl.unwrap()(file, operation, argument)
    }
}

unsafe extern "C" fn delete(vfs: *mut ffi::sqlite3_vfs, name: *const c_char, sync: c_int) -> c_int {
    // SAFETY: handed on as it came.
    let (code, noted) = unsafe { (INNER.get().unwrap().0.xDelete.unwrap()(vfs, name, sync), noted(name)) };
    if let (Some((recording, file)), ffi::SQLITE_OK) = (noted, code) {
        recording.note(Event::Removed { file, is_synced: sync != 0 });
    }
    code
}
