//! Settings that cannot be used, each reported in one line that names its flag and its environment variable.

use anyhow::bail;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command};

use super::environment::Environment;
use super::manifest::closest;

/// What the names of the runner's own settings begin with.
const PREFIX: &str = "RUNNER_";

/// Names that begin like ours and that GitHub Actions sets in every job (GitHub, "Variables reference", and the source of its
/// runner).
const GITHUB: [&str; 11] = [
    "RUNNER_ARCH",
    "RUNNER_DEBUG",
    "RUNNER_ENVIRONMENT",
    "RUNNER_NAME",
    "RUNNER_OS",
    "RUNNER_PERFLOG",
    "RUNNER_TEMP",
    "RUNNER_TOOL_CACHE",
    "RUNNER_TRACKING_ID",
    "RUNNER_USER",
    "RUNNER_WORKSPACE",
];

/// What is wrong with the value of a setting, if `error` is about one. The line ends with a reason and shows the value.
///
/// `command` is the whole command line that `error` comes from.
pub fn value(mut command: Command, error: &clap::Error) -> Option<String> {
    command.build();
    let arguments = arguments(&command);
    if error.kind() == ErrorKind::InvalidUtf8 {
        let is_no_text = |arg: &&&Arg| arg.get_env().and_then(std::env::var_os).is_some_and(|v| v.to_str().is_none());
        return arguments.iter().find(is_no_text).map(|arg| format!("{}: the value is not UTF-8", name(arg)));
    }
    if !matches!(error.kind(), ErrorKind::InvalidValue | ErrorKind::ValueValidation) {
        return None;
    }
    let ContextValue::String(shown) = error.get(ContextKind::InvalidArg)? else { return None };
    let arg = arguments.iter().find(|arg| arg.to_string() == *shown)?;
    let given = match error.get(ContextKind::InvalidValue) {
        Some(ContextValue::String(given)) => given.as_str(),
        _ => "",
    };
    let reason = match (error.get(ContextKind::ValidValue), std::error::Error::source(error)) {
        (Some(ContextValue::Strings(valid)), _) if !valid.is_empty() => format!("it must be {}", valid.join(" or ")),
        (_, Some(source)) => source.to_string(),
        _ => "a value is missing".to_owned(),
    };
    Some(format!("{}: the value {given:?} is not valid: {reason}", name(arg)).replace('\n', " "))
}

/// Fails if the environment has a variable whose name begins with `RUNNER_` and that is none of the settings of `command`:
/// a setting with a misspelt name would otherwise have no effect.
pub fn names(command: &Command, env: &Environment) -> anyhow::Result<()> {
    let arguments = arguments(command);
    let known: Vec<&str> = arguments.iter().filter_map(|arg| arg.get_env()?.to_str()).collect();
    // Kubernetes describes each service of the namespace in such variables.
    let services: Vec<&str> = env.names().filter_map(|name| name.strip_suffix("_SERVICE_HOST")).collect();
    let is_services = |name: &str| {
        let rest = |service: &&str| name.strip_prefix(*service).map(str::to_owned);
        services.iter().filter_map(rest).any(|rest| rest.starts_with("_SERVICE_") || rest.starts_with("_PORT"))
    };
    for (name, own) in env.names().filter_map(|name| Some((name, name.strip_prefix(PREFIX)?))) {
        if !known.contains(&name) && !GITHUB.contains(&name) && !is_services(name) {
            let meant = closest(own, known.iter().filter_map(|known| known.strip_prefix(PREFIX)));
            bail!(
                "{name} is not a setting{}",
                meant.map_or(String::new(), |meant| format!(": did you mean {PREFIX}{meant}?"))
            );
        }
    }
    Ok(())
}

/// The arguments of `command` and of its commands.
fn arguments(command: &Command) -> Vec<&Arg> {
    command.get_arguments().chain(command.get_subcommands().flat_map(Command::get_arguments)).collect()
}

/// `--flag (VARIABLE)`.
fn name(arg: &Arg) -> String {
    let flag = arg.get_long().map_or_else(|| arg.get_id().to_string(), |long| format!("--{long}"));
    match arg.get_env() {
        Some(variable) => format!("{flag} ({})", variable.to_string_lossy()),
        None => flag,
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::*;
    use crate::config::settings::{Limits, Logging};

    #[derive(Debug, Parser)]
    struct Settings {
        #[command(flatten)]
        limits: Limits,
        #[command(flatten)]
        logging: Logging,
    }

    fn refusal(args: &[&str]) -> Option<String> {
        let error = Settings::try_parse_from([&["test"], args].concat()).unwrap_err();
        value(Settings::command(), &error)
    }

    fn misspelt(names_of_variables: &[&str]) -> Result<(), String> {
        let env = names_of_variables.iter().map(|name| (*name, "1")).collect();
        names(&Settings::command(), &env).map_err(|error| error.to_string())
    }

    #[test]
    fn a_wrong_value_is_named_by_flag_and_variable() {
        for (args, line) in [
            (
                &["--max-queue", "many"],
                "--max-queue (RUNNER_MAX_QUEUE): the value \"many\" is not valid: invalid digit found in string",
            ),
            (
                &["--max-concurrency", "0"],
                "--max-concurrency (RUNNER_MAX_CONCURRENCY): the value \"0\" is not valid: 0 is not in 1..=10000",
            ),
            (
                &["--log-format", "xml"],
                "--log-format (RUNNER_LOG_FORMAT): the value \"xml\" is not valid: it must be text or json",
            ),
        ] {
            assert_eq!(refusal(args).as_deref(), Some(line));
        }
    }

    #[test]
    fn other_errors_are_left_to_the_command_line() {
        assert_eq!(refusal(&["--no-such-flag"]), None);
        assert_eq!(refusal(&["--help"]), None);
    }

    #[test]
    fn a_misspelt_name_is_refused() {
        assert_eq!(
            misspelt(&["RUNNER_MAX_QUEUE", "RUNNER_MAX_BDOY"]).unwrap_err(),
            "RUNNER_MAX_BDOY is not a setting: did you mean RUNNER_MAX_BODY?"
        );
        assert!(misspelt(&["RUNNER_X"]).unwrap_err().starts_with("RUNNER_X is not a setting"));
        assert!(misspelt(&["RUNNER_PORT"]).is_err(), "there is no service of this name");
    }

    #[test]
    fn what_others_set_is_not_ours_to_refuse() {
        assert_eq!(misspelt(&["RUNNER_OS", "PATH", "MY_RUNNER_X"]), Ok(()));
        let service = ["RUNNER_SERVICE_HOST", "RUNNER_SERVICE_PORT_HTTP", "RUNNER_PORT", "RUNNER_PORT_80_TCP_ADDR"];
        assert_eq!(misspelt(&service), Ok(()));
        assert_eq!(misspelt(&["RUNNER_UP_SERVICE_HOST", "RUNNER_UP_PORT"]), Ok(()));
    }
}
