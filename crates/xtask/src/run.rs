//! Starting other programs: what was run is part of every error.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// How the names of variables begin that `cargo run` sets for what it runs.
const OF_XTASK: [&str; 2] = ["CARGO_MANIFEST_", "CARGO_PKG_"];

/// A program with its arguments, not started yet.
pub(crate) struct Cmd {
    command: Command,
    shown: String,
}

impl Cmd {
    pub(crate) fn new(program: impl AsRef<OsStr>) -> Self {
        let program = program.as_ref();
        let shown = Path::new(program).file_name().unwrap_or(program).to_string_lossy().into_owned();
        let mut command = Command::new(program);
        // What cargo says of the package of xtask itself: build scripts that look at it would run anew each time it is another.
        for (name, _) in std::env::vars_os() {
            if name.to_str().is_some_and(|name| OF_XTASK.iter().any(|begin| name.starts_with(begin))) {
                command.env_remove(name);
            }
        }
        Self { command, shown }
    }

    pub(crate) fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.shown.push(' ');
        self.shown.push_str(&arg.as_ref().to_string_lossy());
        self.command.arg(arg);
        self
    }

    pub(crate) fn args<I: IntoIterator<Item: AsRef<OsStr>>>(self, args: I) -> Self {
        args.into_iter().fold(self, Self::arg)
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn without_env(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    pub(crate) fn dir(mut self, dir: &Path) -> Self {
        self.command.current_dir(dir);
        self
    }

    /// Runs it with the terminal as its own.
    pub(crate) fn run(mut self) -> Result<()> {
        let status = self.command.status().with_context(|| format!("cannot start `{}`", self.shown))?;
        self.check(status)
    }

    /// Runs it and returns what it printed; its complaints are shown only when it fails.
    pub(crate) fn read(mut self) -> Result<String> {
        let output = self.command.stdin(Stdio::null()).output();
        let output = output.with_context(|| format!("cannot start `{}`", self.shown))?;
        let complaint = String::from_utf8_lossy(&output.stderr);
        self.check(output.status).with_context(|| complaint.trim().to_owned())?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Runs it, shows what it prints line by line, and returns that as well, however it ended.
    pub(crate) fn tee(mut self) -> Result<(String, Result<()>)> {
        let mut child = self
            .command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start `{}`", self.shown))?;
        let mut text = String::new();
        if let Some(stdout) = child.stdout.take() {
            let mut lines = BufReader::new(stdout);
            let mut line = Vec::new();
            while lines.read_until(b'\n', &mut line)? > 0 {
                std::io::stdout().write_all(&line)?;
                text.push_str(&String::from_utf8_lossy(&line));
                line.clear();
            }
        }
        let status = child.wait()?;
        Ok((text, self.check(status)))
    }

    /// Runs it; what it prints and complains goes into a file.
    pub(crate) fn log_to(mut self, path: &Path) -> Result<()> {
        let log = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
        self.command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let status = self.command.status().with_context(|| format!("cannot start `{}`", self.shown))?;
        self.check(status)
    }

    /// The plain command, to be started by other means.
    pub(crate) fn into_command(self) -> Command {
        self.command
    }

    fn check(&self, status: ExitStatus) -> Result<()> {
        if !status.success() {
            bail!("`{}` failed: {status}", self.shown);
        }
        Ok(())
    }
}

/// `folders` before what PATH holds.
pub(crate) fn path_with(folders: Vec<std::path::PathBuf>) -> Result<OsString> {
    let present = std::env::var_os("PATH").unwrap_or_default();
    Ok(std::env::join_paths(folders.into_iter().chain(std::env::split_paths(&present)))?)
}

/// Says every 15 seconds that `what` is still going on, so that nobody takes a quiet minute for a hang.
pub(crate) fn with_heartbeat<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let started = Instant::now();
    let (done, waiting) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            while waiting.recv_timeout(Duration::from_secs(15)) == Err(RecvTimeoutError::Timeout) {
                eprintln!("  … {what}: {} s so far", started.elapsed().as_secs());
            }
        });
        let result = work();
        drop(done);
        result
    })
}
