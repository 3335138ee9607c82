//! Gives the sample's messages to the plugin with the script, as the daemon's operators do.

use crate::messages::Messages;
use crate::show::{Show, Tally};
use crate::subject::Subject;
use crate::ticks::Ticks;
use crate::{Failure, TERMINATED, UNLOADABLE, threads};
use heka_message::{BatchBuilder, RowSet, Selection};
use heka_operators::filters::{Filter, Injector};
use heka_operators::plugin::PluginError;
use heka_operators::script::now;
use hekad::config::Spec;
use hekad::flags::Given;
use std::sync::Arc;

/// Runs the script to the end of the sample.
pub fn run(subject: &Subject, given: &Given, tally: &Tally, show: &mut Show) -> Result<(), Failure> {
    match &subject.section.spec {
        Spec::Decoder(spec) => {
            let mut decoder = spec.build(&subject.site, Vec::new()).map_err(unloadable)?;
            let mut messages = Messages::open(subject, given)?;
            while let Some((batch, row)) = messages.next()? {
                let mut out = BatchBuilder::over(&batch);
                match decoder.decode(batch.row(row), &mut out) {
                    Ok(()) => out.finish().rows().try_for_each(|message| show.message(message))?,
                    Err(error) if error.fatal => return Err(Failure(TERMINATED, error.message)),
                    Err(error) => eprintln!("{}", error.message.trim_end()),
                }
            }
            messages.end()
        }
        Spec::Filter(spec) => filter(subject, given, &mut *spec.build(&subject.site).map_err(unloadable)?, show),
        Spec::Encoder(spec) => {
            let mut encoder = spec.build(&subject.site).map_err(unloadable)?;
            let mut messages = Messages::open(subject, given)?;
            let mut out = Vec::new();
            while let Some((batch, row)) = messages.next()? {
                out.clear();
                match encoder.encode(batch.row(row), &mut out) {
                    Ok(true) => show.bytes(&out)?,
                    Ok(false) => {}
                    Err(why) if encoder.ended().is_some() => return Err(Failure(TERMINATED, why)),
                    Err(why) => eprintln!("{why}"),
                }
            }
            messages.end()
        }
        Spec::Input(spec) => {
            let input = spec.build(&subject.site).map_err(unloadable)?;
            threads::input(subject, given, input, tally, show)
        }
        Spec::Output(spec) => threads::output(subject, given, spec.build(&subject.site).map_err(unloadable)?),
        // The subject is a script.
        Spec::Splitter(_) => Err(Failure::usage("a splitter runs no script")),
    }
}

pub fn unloadable(error: PluginError) -> Failure {
    Failure(UNLOADABLE, error.message)
}

fn filter(subject: &Subject, given: &Given, filter: &mut dyn Filter, show: &mut Show) -> Result<(), Failure> {
    let mut injector = Injector::new(subject.site.globals.clone());
    if let Some(own) = subject.own_match() {
        injector.set_own_match(Box::new(own));
    }
    let interval = match given.value("tick") {
        Some(_) => Some(given.parsed("tick").map_err(Failure::usage)?),
        None => Some(subject.ticker_interval()).filter(|seconds| *seconds > 0),
    };
    let mut ticks = interval.map(Ticks::new);
    let mut messages = Messages::open(subject, given)?;
    while let Some((batch, row)) = messages.next()? {
        let time = batch.row(row).timestamp();
        for tick in ticks.as_mut().map(|ticks| ticks.before(time)).unwrap_or_default() {
            injector.set_now(tick);
            let result = filter.tick(tick, &mut injector);
            injected(&mut injector, result, show)?;
        }
        injector.set_now(time);
        let rows = RowSet::from_fn(batch.len(), |index| index == row);
        let result = filter.process(&Selection { batch: Arc::clone(&batch), rows }, &mut injector);
        injected(&mut injector, result, show)?;
    }
    messages.end()?;
    if let Some(ticks) = &ticks {
        let tick = ticks.last(now());
        injector.set_now(tick);
        let result = filter.tick(tick, &mut injector);
        injected(&mut injector, result, show)?;
    }
    let result = filter.stop(&mut injector);
    injected(&mut injector, result, show)
}

/// Shows what was injected, then says how the call ended.
fn injected(injector: &mut Injector, result: Result<(), PluginError>, show: &mut Show) -> Result<(), Failure> {
    if let Some(batch) = injector.take() {
        batch.rows().try_for_each(|message| show.message(message))?;
    }
    result.map_err(|error| Failure(TERMINATED, error.message))
}
