//! The command line: what was called, with which settings.

#[cfg(test)]
mod docs;
mod file;
mod log;
mod secret;
mod settings;
mod show;
mod store;
mod webhook;

use std::path::{Path, PathBuf};

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Args, Command, CommandFactory, FromArgMatches, Parser, Subcommand};
use message_extensions_core::message::MessageRef;

pub(crate) use self::log::start as start_log;
pub(crate) use self::settings::Settings;
use self::settings::{Source, Values};
pub(crate) use self::store::Place;

/// Why the program ends with a failure, in a sentence.
pub(crate) enum Failure {
    /// It was called wrongly, or a setting is: exit code 2.
    Usage(String),
    /// It could not do its work: exit code 1.
    Run(String),
}

/// What is to be done.
pub(crate) enum Task {
    /// Serve.
    Serve,
    /// Print the settings.
    Config,
    /// Print a signature for the UserID, good for so many seconds.
    Usersig(String, u64),
    /// Copy the data into the file.
    Backup(PathBuf),
    /// Print a message with everything of it.
    Export(MessageRef),
    /// Keep the message that stdin holds.
    Import,
}

/// Shared key/value state on chat messages: REST, push, and an embedded store.
#[derive(Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    task: Option<Subtask>,
    #[command(flatten)]
    given: Given,
}

#[derive(Subcommand)]
enum Subtask {
    /// Prints the settings in force as a settings file, without secrets, and says what is missing.
    Config(Given),
    /// Prints a UserSig.
    Usersig(Usersig),
    /// Copies the data into a file, as of one moment, also while the server runs. To restore it, put it into an empty data
    /// folder under the name messages.db. Data on Redis is copied by its own means.
    Backup(Backup),
    /// Prints a message with its extensions as lines of JSON, also while the server runs.
    Export(Export),
    /// Keeps a message that export has printed, and its group if there is none; reads stdin. A server on a data folder must
    /// be stopped.
    Import(Given),
}

#[derive(Args)]
struct Given {
    /// A TOML file of settings, named like the flags. Flags and the environment go before it.
    #[arg(long, env = "MESSAGE_EXTENSIONS_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    values: Values,
}

#[derive(Args)]
struct Usersig {
    /// The UserID that it is for.
    #[arg(long, value_name = "U")]
    identifier: String,
    /// Seconds until it expires.
    #[arg(long, value_name = "S", default_value_t = 180 * 86_400)]
    expire: u64,
    #[command(flatten)]
    given: Given,
}

#[derive(Args)]
struct Backup {
    /// The file to write, which must not be there yet.
    file: PathBuf,
    #[command(flatten)]
    given: Given,
}

#[derive(Args)]
struct Export {
    /// The message's sender.
    #[arg(long, value_name = "U", required_unless_present = "group", conflicts_with = "group")]
    from: Option<String>,
    /// Its recipient.
    #[arg(long, value_name = "U", required_unless_present = "group", conflicts_with = "group")]
    to: Option<String>,
    /// Its MsgKey.
    #[arg(long, value_name = "K", required_unless_present = "group", conflicts_with = "group")]
    msg_key: Option<String>,
    /// Or the group that it is in, by its GroupId.
    #[arg(long, value_name = "G", requires = "msg_seq")]
    group: Option<String>,
    /// Its MsgSeq there.
    #[arg(long, value_name = "N", requires = "group")]
    msg_seq: Option<u64>,
    #[command(flatten)]
    given: Given,
}

impl Export {
    fn named(&mut self) -> MessageRef {
        match self.group.take() {
            Some(group_id) => MessageRef::Group { group_id, msg_seq: self.msg_seq.unwrap_or_default() },
            None => MessageRef::C2c {
                from: self.from.take(),
                to: self.to.take().unwrap_or_default(),
                msg_key: self.msg_key.take().unwrap_or_default(),
            },
        }
    }
}

/// Settings that say where the data is; the help of what works on it shows no others, as with usersig.
const OF_DATA: [&str; 6] =
    ["config", "data", "store", "redis_replicas", "redis_replica_timeout_ms", "redis_key_prefix"];
/// The same of a copy, which only the data in a folder has.
const OF_BACKUP: [&str; 2] = ["config", "data"];
/// Settings of which a signature is made; its help shows no others, though it takes them, so that it can be called with
/// the server's own.
const OF_USERSIG: [&str; 4] = ["config", "sdk_app_id", "secret_key", "secret_key_file"];

/// Reads command line, environment and file. What clap refuses, and `--help`, ends the process.
pub(crate) fn read() -> Result<(Task, Settings), Failure> {
    let matches = command().get_matches();
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let own = matches.subcommand().map_or(&matches, |(_, own)| own);
    let (task, given) = match cli.task {
        None => (Task::Serve, cli.given),
        Some(Subtask::Config(given)) => (Task::Config, given),
        Some(Subtask::Usersig(usersig)) => (Task::Usersig(usersig.identifier, usersig.expire), usersig.given),
        Some(Subtask::Backup(backup)) => (Task::Backup(backup.file), backup.given),
        Some(Subtask::Export(mut export)) => (Task::Export(export.named()), export.given),
        Some(Subtask::Import(given)) => (Task::Import, given),
    };
    Ok((task, settings(given, own)?))
}

fn settings(given: Given, matches: &ArgMatches) -> Result<Settings, Failure> {
    let Given { config, values } = given;
    let in_file = config.as_deref().map(file::read).transpose().map_err(Failure::Usage)?.unwrap_or_default();
    let source = |id: &str| match matches.value_source(id) {
        Some(ValueSource::CommandLine) => Source::Flag,
        Some(ValueSource::EnvVariable) => Source::Environment,
        _ => Source::Default,
    };
    Ok(values.over(in_file, source, config.as_deref().map(Path::to_owned)))
}

/// clap's command, in which every setting has the environment variable of its name.
fn command() -> Command {
    let showing = |own: &'static [&str]| {
        move |arg: Arg| {
            let is_own = own.contains(&arg.get_id().as_str()) || !is_setting(&arg);
            with_variable(arg).hide(!is_own)
        }
    };
    Cli::command()
        .mut_args(with_variable)
        .mut_subcommand("config", |config| config.mut_args(with_variable))
        .mut_subcommand("usersig", |command| command.mut_args(showing(&OF_USERSIG)))
        .mut_subcommand("backup", |command| command.mut_args(showing(&OF_BACKUP)))
        .mut_subcommand("export", |command| command.mut_args(showing(&OF_DATA)))
        .mut_subcommand("import", |command| command.mut_args(showing(&OF_DATA)))
}

fn is_setting(arg: &Arg) -> bool {
    Values::names().any(|name| name == arg.get_id())
}

fn with_variable(arg: Arg) -> Arg {
    match arg.get_long() {
        Some(flag) if is_setting(&arg) => {
            let variable = format!("MESSAGE_EXTENSIONS_{}", flag.to_uppercase().replace('-', "_"));
            arg.env(variable)
        }
        _ => arg,
    }
}
