//! `source`: chunks from an input's task enter the dataflow at the clock's epoch.

use crate::engine::clock::Clock;
use crate::engine::wiring::InputEnds;
use crate::engine::{NodeStatus, Time};
use heka_operators::inputs::Chunk;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::TryRecvError;
use timely::container::CapacityContainerBuilder;
use timely::dataflow::operators::generic::OutputBuilder;
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;
use timely::dataflow::{Scope, Stream};

/// Bytes let in per scheduling: enough to amortise everything, little enough to let other operators run.
const BYTES_PER_TURN: usize = 256 * 1024;
/// Bytes the reader of a queue on disk lets in. Messages are longer there than they came, so with the same share as the
/// inputs it would fall ever further behind its writer, and read from files what is no longer in memory.
const BYTES_PER_TURN_OF_QUEUE: usize = 1024 * 1024;
/// What a chunk counts at least: small ones cost more than their bytes.
const LEAST_PER_CHUNK: usize = 1024;

/// The chunks of an input, or of a queue on disk if `is_queue`, counted in `status`. `ends` is `None` on the workers the
/// input does not live on.
pub fn source<'scope>(
    scope: Scope<'scope, Time>,
    name: &str,
    is_queue: bool,
    ends: Option<InputEnds>,
    clock: &Rc<Clock>,
    status: Arc<NodeStatus>,
) -> Stream<'scope, Time, Vec<Chunk>> {
    let mut builder = OperatorBuilder::new(name.to_owned(), scope);
    let (output, stream) = builder.new_output::<Vec<Chunk>>();
    let mut output = OutputBuilder::<_, CapacityContainerBuilder<Vec<Chunk>>>::from(output);
    let address = builder.operator_info().address;
    let activator = scope.activator_for(address.clone());
    if let Some(ends) = &ends {
        let wake = scope.worker().sync_activator_for(address.to_vec());
        ends.waker.connect(move || {
            // A worker that has ended needs no waking.
            let _ = wake.activate();
        });
        clock.subscribe(scope.activator_for(address));
    }
    let clock = clock.clone();
    let most = if is_queue { BYTES_PER_TURN_OF_QUEUE } else { BYTES_PER_TURN };
    builder.build(move |mut capabilities| {
        let mut held = ends.and_then(|ends| Some((ends, capabilities.pop()?)));
        move |_frontiers| {
            let Some((ends, capability)) = &mut held else { return };
            if clock.epoch() > capability.time().epoch {
                capability.downgrade(&Time::at(clock.epoch()));
            }
            let mut bytes = 0;
            let mut armed = false;
            let ended = loop {
                match ends.deliveries.try_recv() {
                    Ok(chunk) => {
                        bytes += chunk.bytes.len().max(LEAST_PER_CHUNK);
                        clock.mark(chunk.bytes.len());
                        output.activate().session(&*capability).give(chunk);
                        if bytes >= most {
                            activator.activate();
                            break false;
                        }
                    }
                    // Arm first, look once more, and only then sleep: nothing is missed in between.
                    Err(TryRecvError::Empty) if !armed => {
                        ends.waker.arm();
                        armed = true;
                    }
                    Err(TryRecvError::Empty) => break false,
                    Err(TryRecvError::Disconnected) => break true,
                }
            };
            if bytes > 0 {
                status.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
            }
            if ended {
                held = None;
            }
        }
    });
    stream
}
