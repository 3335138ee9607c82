//! One test, from the first message to the last.

use crate::messages::Messages;
use crate::meter::Meter;
use crate::sender::Sender;
use crate::settings::Test;
use heka_operators::log;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{Instant, Interval, MissedTickBehavior};

/// How long an interrupt waits for what is being sent, so that the last frame is whole.
const LAST_SEND: Duration = Duration::from_secs(2);

/// A running test.
pub struct Flood {
    test: Test,
    messages: Messages,
    meter: Meter,
    interrupt: Signal,
    every_second: Interval,
    interrupted: bool,
}

impl Flood {
    /// Makes the messages; nothing is sent yet.
    ///
    /// # Errors
    /// One line.
    pub fn new(test: Test) -> Result<Flood, String> {
        let messages = Messages::new(&test)?;
        let interrupt = signal(SignalKind::interrupt()).map_err(|error| format!("can't listen to signals: {error}"))?;
        let second = Duration::from_secs(1);
        let mut every_second = tokio::time::interval_at(Instant::now() + second, second);
        every_second.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Ok(Flood { test, messages, meter: Meter::new(), interrupt, every_second, interrupted: false })
    }

    /// Sends until all is sent, or until an interrupt.
    ///
    /// # Errors
    /// One line: why not all could be sent.
    pub async fn run(mut self) -> Result<(), String> {
        let mut sender = Sender::open(&self.test).await?;
        let result = self.send_all(&mut sender).await;
        if result.is_ok() {
            sender.close().await.map_err(|error| format!("Error sending message: {error}"))?;
        }
        let Meter { sent, delivered, .. } = self.meter;
        log::info(format!("Clean shutdown:  {sent}  messages sent;  {delivered}  messages delivered."));
        result
    }

    async fn send_all(&mut self, sender: &mut Sender) -> Result<(), String> {
        let settings = self.test.settings.clone();
        let mut next_at = Instant::now();
        let mut frames = Vec::new();
        while !self.interrupted {
            let left = match settings.num_messages {
                0 => u64::MAX,
                all => all.saturating_sub(self.meter.sent),
            };
            if left == 0 {
                break;
            }
            let batch = if settings.message_interval.is_zero() { sender.batch() } else { 0 };
            frames.clear();
            let (mut count, mut good) = (0, 0);
            while count == 0 || (count < left && frames.len() < batch) {
                count += 1;
                good += u64::from(self.messages.next(&mut frames));
            }
            match self.meanwhile(LAST_SEND, sender.send(&frames)).await {
                Some(Ok(())) => self.meter.count(count, good, frames.len()),
                Some(Err(error)) => {
                    let why = format!("Error sending message: {error}");
                    if !settings.reconnect_on_error {
                        return Err(why);
                    }
                    log::error(why);
                    match self.reconnect().await {
                        Some(again) => *sender = again,
                        None => break,
                    }
                }
                None => break,
            }
            if !settings.message_interval.is_zero() {
                // Counted from the beginning, so that the rate is right however late each one is.
                next_at += settings.message_interval;
                self.meanwhile(Duration::ZERO, tokio::time::sleep_until(next_at)).await;
            }
        }
        Ok(())
    }

    /// Tries until it works; `None` after an interrupt.
    async fn reconnect(&mut self) -> Option<Sender> {
        let pause = Duration::from_secs(self.test.settings.reconnect_interval);
        let test = self.test.clone();
        while !self.interrupted {
            self.meanwhile(Duration::ZERO, tokio::time::sleep(pause)).await;
            if self.interrupted {
                break;
            }
            log::info("Attempting to reconnect...");
            match self.meanwhile(Duration::ZERO, Sender::open(&test)).await? {
                Ok(sender) => return Some(sender),
                Err(why) => log::error(why),
            }
        }
        None
    }

    /// Does one thing, and says every second how it goes. After an interrupt it goes on for `grace` only: `None`
    /// when that was not enough.
    async fn meanwhile<T>(&mut self, grace: Duration, what: impl Future<Output = T>) -> Option<T> {
        tokio::pin!(what);
        loop {
            tokio::select! {
                biased;
                _ = self.interrupt.recv() => {
                    self.interrupted = true;
                    return tokio::time::timeout(grace, what).await.ok();
                }
                _ = self.every_second.tick() => self.meter.report(),
                done = &mut what => return Some(done),
            }
        }
    }
}
