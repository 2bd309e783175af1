//! The command line: what was called, with which settings.

#[cfg(test)]
mod docs;
mod file;
mod log;
mod secret;
mod settings;
mod show;
mod webhook;

use std::path::{Path, PathBuf};

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Args, Command, CommandFactory, FromArgMatches, Parser, Subcommand};

pub(crate) use self::log::start as start_log;
pub(crate) use self::settings::Settings;
use self::settings::{Source, Values};

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
    let usersig = |arg: Arg| {
        let is_own = OF_USERSIG.contains(&arg.get_id().as_str()) || !is_setting(&arg);
        with_variable(arg).hide(!is_own)
    };
    Cli::command()
        .mut_args(with_variable)
        .mut_subcommand("config", |config| config.mut_args(with_variable))
        .mut_subcommand("usersig", |command| command.mut_args(usersig))
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
