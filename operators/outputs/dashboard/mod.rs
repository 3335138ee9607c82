//! DashboardOutput: shows the daemon and its sandboxes to browsers and to scripts.
//!
//! It takes the daemon's reports and what sandboxes show, keeps each as a file below `working_directory`, and serves
//! them with a page that draws them. Each file does one thing: `received` reads messages, `sandboxes` names files,
//! `documents` writes them and numbers the changes, `view` looks at the daemon, `site` says what an address stands
//! for, `paths` and `folder` let none lead out, `reply`, `file_body` and `listing` make answers, `events` tells of
//! changes, `access` asks who is there, and `server` and `patient` bound what a connection may take.

mod access;
mod documents;
mod events;
mod file_body;
mod folder;
mod listing;
mod options;
mod paths;
mod patient;
mod received;
mod reply;
mod sandboxes;
mod server;
mod site;
mod store;
mod view;

pub use options::TYPE;

use crate::inputs::Runs;
use crate::outputs::{Feed, FeedEvent, Output};
use crate::plugin::{BoxFuture, PluginError};
use server::Server;
use store::Store;
use tokio::task::JoinHandle;

/// A dashboard that can run.
struct Dashboard {
    store: Store,
    /// Until it runs.
    server: Option<Server>,
}

impl Output for Dashboard {
    fn runs(&self) -> Runs {
        // It reads and writes files, and compresses.
        Runs::OwnThread
    }

    fn run<'a>(&'a mut self, feed: &'a mut Feed) -> BoxFuture<'a, Result<(), PluginError>> {
        Box::pin(async move {
            let Some(server) = self.server.take() else {
                return Err(PluginError::retry("the server has ended"));
            };
            let mut serving = Serving(tokio::spawn(server.run()));
            loop {
                tokio::select! {
                    event = feed.next() => match event {
                        FeedEvent::Block(block) => {
                            self.store.take(&block);
                            feed.ack(block.ticket);
                        }
                        // The reports that a tick is for are made by the daemon, and come as messages.
                        FeedEvent::Tick | FeedEvent::Reopen => {}
                        FeedEvent::End => return Ok(()),
                    },
                    ended = &mut serving.0 => {
                        let why = ended.err().map_or("it ended".to_owned(), |error| error.to_string());
                        return Err(PluginError::retry(format!("the server failed: {why}")));
                    }
                }
            }
        })
    }
}

/// The server's task; it ends with its owner.
struct Serving(JoinHandle<()>);

impl Drop for Serving {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests;
