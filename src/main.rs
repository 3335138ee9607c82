//! The daemon's entry: arguments and exit codes; nothing else.

mod memory;

use heka_operators::{log, registry};
use heka_settings::Problems;
use hekad::cli::{self, Command};
use hekad::config::process_env;
use hekad::config::render::render;
use hekad::control::pidfile::PidFile;
use hekad::plan::{Plan, describe, dump, resolve, stalls};
use hekad::{config, engine};
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    memory::use_small_pages();
    memory::give_back_soon();
    let command = match cli::parse(std::env::args_os().skip(1)) {
        Ok(command) => command,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    match command {
        Command::Run { config } => return run(&config),
        Command::Check { config } => match load(&config) {
            Some((_, plan)) => print!("{}", describe(&stalls(&plan))),
            None => return ExitCode::FAILURE,
        },
        Command::DumpGraph { config, format } => match load(&config) {
            Some((_, plan)) => print!("{}", dump(&plan, format)),
            None => return ExitCode::FAILURE,
        },
        Command::Version => println!("{}", cli::VERSION),
        Command::Help => print!("{}", cli::usage()),
        Command::Schema => println!("{:#}", config::schema::schema(registry::TYPES)),
        Command::Reference { dir } => {
            if let Err(error) = config::reference::write(&dir, registry::TYPES) {
                eprintln!("can't write the reference to {}: {error}", dir.display());
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}

/// Loads a configuration and shows everything wrong with it.
fn load(path: &Path) -> Option<(config::Config, Plan)> {
    let loaded = match config::load(path, registry::TYPES, &process_env) {
        Ok(loaded) => loaded,
        Err(refused) => {
            eprint!("Error reading config:  \n{}", render(&refused.sources, &refused.problems));
            return None;
        }
    };
    let mut problems = Problems::default();
    loaded.warnings.into_iter().for_each(|warning| problems.push(warning));
    let plan = resolve(&loaded.config, &mut problems);
    eprint!("{}", render(&loaded.config.sources, &problems.into_sorted()));
    Some((loaded.config, plan?))
}

fn run(path: &Path) -> ExitCode {
    let Some((config, plan)) = load(path) else { return ExitCode::FAILURE };
    log::set_flags(config.hekad.log_flags);
    let base_dir = &plan.globals.base_dir;
    if let Err(error) = std::fs::create_dir_all(base_dir) {
        eprintln!("Error creating 'base_dir' {}: {error}", base_dir.display());
        return ExitCode::FAILURE;
    }
    let pid_file = match config.hekad.pid_file.as_str() {
        "" => None,
        path => match PidFile::create(Path::new(path)) {
            Ok(file) => Some(file),
            Err(why) => {
                eprintln!("{why}");
                return ExitCode::FAILURE;
            }
        },
    };
    let code = engine::run(plan);
    drop(pid_file);
    ExitCode::from(code as u8)
}
