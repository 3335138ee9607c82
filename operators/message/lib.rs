//! Heka messages, many at a time.
//!
//! A [`Batch`] holds the bytes a source delivered, an arena for text that decoders made, and one [`Row`] of
//! header fields per message whose texts are [`Span`]s into either. Nothing on a hot path allocates per
//! message: a payload is a range of the chunk it came from. Header strings and string fields are bytes, never
//! validated text.
//!
//! ```
//! use heka_message::BatchBuilder;
//!
//! let mut builder = BatchBuilder::new(bytes::Bytes::from_static(b"hello\n"));
//! let logger = builder.text(b"demo");
//! let row = builder.row();
//! row.logger = logger;
//! row.payload = heka_message::Span::source(0..6);
//! let batch = builder.finish();
//! assert_eq!(batch.row(0).payload(), b"hello\n");
//! assert_eq!(batch.row(0).logger(), b"demo");
//! ```

mod batch;
mod builder;
mod edit;
mod field;
pub mod framing;
mod interpolate;
mod layout;
mod layout_read;
mod message_template;
mod moment;
mod protobuf_cursor;
mod protobuf_read;
mod protobuf_usual;
mod protobuf_write;
mod row;
mod rowset;
mod selection;
mod signing;
mod span;
mod strftime;
mod template;
mod text;
mod time_format;
mod timestamp;
mod transfer;
mod uuid;

pub use batch::{Batch, BitmapSlots, Origin};
pub use builder::{BatchBuilder, FieldDensity, Mark};
pub use field::{Field, FieldRef, FieldValue, ValueType};
pub use interpolate::Interpolation;
pub use layout::Layout;
pub use message_template::MessageTemplate;
pub use moment::{MONTHS, WEEKDAYS};
pub use protobuf_cursor::{WireCause, WireError};
pub use protobuf_read::read_message;
pub use protobuf_write::{message_len, write_message};
pub use row::{Flags, Row, RowRef};
pub use rowset::RowSet;
pub use selection::Selection;
pub use signing::{Digest, HashFunction, Key, Signer};
pub use span::Span;
pub use strftime::Strftime;
pub use template::{Captured, Template};
pub use text::{format_g, parse_uuid, write_base64, write_uuid, write_value};
pub use time_format::TimeFormat;
pub use timestamp::{TimestampParser, zone_named};
pub use uuid::{Uuid, UuidSource, derive_uuid};

/// Severity of a message that names none.
pub const DEFAULT_SEVERITY: i32 = 7;
