//! What the builder promises.

use super::*;

#[test]
fn rows_copy_between_batches() {
    let mut one = BatchBuilder::new(Bytes::from_static(b"payload"));
    let name = one.text(b"n");
    one.row().payload = Span::source(0..7);
    one.open_field(name, Span::NONE, ValueType::Integer);
    assert!(one.add_value(FieldValue::Integer(1)) && one.add_value(FieldValue::Integer(-2)));
    assert!(!one.add_value(FieldValue::Bool(true)));
    let one = one.finish();
    let mut two = BatchBuilder::default();
    two.copy_row(one.row(0));
    let two = two.finish();
    let field = two.row(0).field(b"n", 0).unwrap();
    assert_eq!(two.row(0).payload(), b"payload");
    assert_eq!(field.values().collect::<Vec<_>>(), [FieldValue::Integer(1), FieldValue::Integer(-2)]);
    assert!(field.raw().representation.is_none());
}

#[test]
fn a_restarted_builder_remembers_nothing() {
    let mut one = BatchBuilder::new(Bytes::from_static(b"source"));
    let logger = one.text(b"arena");
    one.signer(b"ops");
    one.row().logger = logger;
    let mut two = BatchBuilder::new(Bytes::from_static(b"other"));
    two.row();
    two.text(b"left over");
    two.hold(Arc::new(()));
    two.restart_over(one.batch());
    two.row().logger = logger;
    two.last_row().unwrap().payload = Span::source(0..6);
    assert_eq!(two.len(), 1);
    assert_eq!((two.batch().row(0).logger(), two.batch().row(0).payload()), (&b"arena"[..], &b"source"[..]));
    two.restart(Bytes::new());
    assert!(two.is_empty() && two.batch().source().is_empty() && two.batch().credits.is_empty());
    assert_eq!(two.signer(b"new"), 1);
}

#[test]
fn a_text_that_comes_again_is_kept_once() {
    let mut builder = BatchBuilder::new(Bytes::from_static(b"name"));
    let first = builder.text_again(b"name", Span::source(0..4));
    assert!(first.in_arena());
    assert_eq!(builder.text_again(b"name", first), first);
    assert_ne!(builder.text_again(b"nam", first), first);
    // Another batch, or this one after a rollback, holds something else there.
    let mut other = BatchBuilder::default();
    assert_eq!(other.text_again(b"name", first), first);
    let mut shorter = BatchBuilder::default();
    shorter.text(b"x");
    let span = shorter.text_again(b"name", first);
    assert_eq!(shorter.batch().text(span), b"name");
}

#[test]
fn a_generation_ends_where_texts_may_have_gone() {
    let mut builder = BatchBuilder::default();
    let first = builder.generation();
    let mark = builder.mark();
    builder.text(b"a text");
    builder.row();
    assert_eq!(builder.generation(), first);
    builder.rollback(mark);
    let second = builder.generation();
    builder.restart(Bytes::new());
    let third = builder.generation();
    let fourth = BatchBuilder::over(builder.batch()).generation();
    let mut all = vec![0, first, second, third, fourth];
    all.dedup();
    assert_eq!(all.len(), 5, "{all:?}");
}

#[test]
fn a_credit_returns_when_all_that_was_made_of_its_batch_is_gone() {
    let credit: Arc<dyn Any + Send + Sync> = Arc::new(());
    let mut one = BatchBuilder::default();
    one.hold(credit.clone());
    let one = one.finish();
    let mut two = BatchBuilder::default();
    two.hold_credits_of(&one);
    two.hold_credits_of(&one);
    drop(one);
    assert_eq!(Arc::strong_count(&credit), 2);
    drop(two);
    assert_eq!(Arc::strong_count(&credit), 1);
}

#[test]
fn rollback_forgets_and_append_moves() {
    let mut builder = BatchBuilder::default();
    builder.row();
    let mark = builder.mark();
    builder.row();
    let name = builder.text(b"x");
    builder.field(name, Span::NONE, FieldValue::String(b"v"));
    builder.rollback(mark);
    assert_eq!(builder.len(), 1);
    builder.row();
    builder.append_field(0, b"decode_failure", FieldValue::Bool(true));
    let batch = builder.finish();
    assert_eq!(batch.row(0).field(b"decode_failure", 0).unwrap().value(0), Some(FieldValue::Bool(true)));
    assert_eq!(batch.row(1).fields().count(), 0);
}
