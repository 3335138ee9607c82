//! Changing the fields of the message appended last: for hosts of scripts, which change messages piece by piece.

use crate::field::span_word;
use crate::{BatchBuilder, Field, FieldValue, Flags, Span};

impl BatchBuilder {
    /// How many bytes of text the builder has made; grows with every text.
    pub fn text_len(&self) -> usize {
        self.batch.arena.len()
    }

    /// The place of the last message's field at `index` in the batch; its fields are the batch's last.
    fn last_field_at(&self, index: usize) -> Option<usize> {
        let row = self.batch.rows.last()?;
        (index < row.field_count as usize).then_some(row.first_field as usize + index)
    }

    fn touch(&mut self) {
        if let Some(row) = self.batch.rows.last_mut() {
            row.flags.set(Flags::TOUCHED);
        }
    }

    /// Removes a field of the last message. `false`: there is none at `index`.
    pub fn remove_field(&mut self, index: usize) -> bool {
        let Some(at) = self.last_field_at(index) else { return false };
        self.batch.fields.remove(at);
        if let Some(row) = self.batch.rows.last_mut() {
            row.field_count -= 1;
        }
        self.touch();
        true
    }

    /// Removes a value of a field of the last message. `false`: there is none.
    pub fn remove_value(&mut self, index: usize, value: usize) -> bool {
        let Some(at) = self.last_field_at(index) else { return false };
        let Some(words) = self.words(at).filter(|words| value < words.len()) else { return false };
        let mut words = words.to_vec();
        words.remove(value);
        self.set_words(at, words);
        true
    }

    /// Replaces a value of a field of the last message, or appends it when `value` is the number of values.
    /// `false`, and nothing changes, when the type differs or the index is beyond that.
    pub fn set_value(&mut self, index: usize, value: usize, new: FieldValue<'_>) -> bool {
        let Some(at) = self.last_field_at(index) else { return false };
        let (value_type, word) = self.word(new);
        if self.batch.fields[at].value_type != value_type {
            return false;
        }
        let Some(mut words) = self.words(at).map(<[u64]>::to_vec) else { return false };
        if value > words.len() {
            return false;
        }
        if let Some(old) = words.get_mut(value) {
            *old = word;
        } else {
            words.push(word);
        }
        self.set_words(at, words);
        true
    }

    /// Replaces the representation of a field of the last message, if there is one at `index`.
    pub fn set_representation(&mut self, index: usize, representation: Span) {
        if let Some(at) = self.last_field_at(index) {
            self.batch.fields[at].representation = representation;
            self.touch();
        }
    }

    /// The raw values of the field at `at` in the batch.
    fn words(&self, at: usize) -> Option<&[u64]> {
        let field = self.batch.fields.get(at)?;
        match field.count {
            1 => Some(std::slice::from_ref(&field.word)),
            count => {
                let first = field.word as usize;
                if count == 0 { Some(&[]) } else { self.batch.values.get(first..first + count as usize) }
            }
        }
    }

    fn set_words(&mut self, at: usize, words: Vec<u64>) {
        let field: &mut Field = &mut self.batch.fields[at];
        field.count = words.len() as u32;
        match words.as_slice() {
            [] => field.word = span_word(Span::source(0..0)),
            [one] => field.word = *one,
            _ => {
                field.word = self.batch.values.len() as u64;
                self.batch.values.extend(words);
            }
        }
        self.touch();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ValueType;

    fn builder() -> BatchBuilder {
        let mut builder = BatchBuilder::default();
        builder.row();
        for name in [&b"a"[..], b"b", b"a"] {
            let name = builder.text(name);
            builder.open_field(name, Span::NONE, ValueType::Integer);
            builder.add_value(FieldValue::Integer(1));
            builder.add_value(FieldValue::Integer(2));
        }
        builder
    }

    fn values(builder: &BatchBuilder) -> Vec<(String, Vec<i64>)> {
        let integer = |value: FieldValue<'_>| if let FieldValue::Integer(i) = value { i } else { panic!("{value:?}") };
        let field = |field: crate::FieldRef<'_>| {
            (String::from_utf8_lossy(field.name()).into_owned(), field.values().map(integer).collect())
        };
        builder.batch().row(0).fields().map(field).collect()
    }

    #[test]
    fn fields_and_values_come_and_go() {
        let mut builder = builder();
        assert!(builder.remove_field(1) && !builder.remove_field(2));
        assert!(builder.set_value(0, 0, FieldValue::Integer(7)));
        assert!(builder.set_value(0, 2, FieldValue::Integer(9)));
        assert!(!builder.set_value(0, 4, FieldValue::Integer(9)) && !builder.set_value(0, 0, FieldValue::Bool(true)));
        assert!(builder.remove_value(1, 0) && !builder.remove_value(1, 1));
        let text = |s: &str| s.to_owned();
        assert_eq!(values(&builder), [(text("a"), vec![7, 2, 9]), (text("a"), vec![2])]);
        assert!(builder.remove_value(1, 0));
        assert_eq!(values(&builder)[1].1, Vec::<i64>::new());
        assert!(builder.set_value(1, 0, FieldValue::Integer(3)));
        assert_eq!(values(&builder)[1].1, [3]);
        assert!(builder.batch().row(0).raw().flags.has(Flags::TOUCHED));
    }

    #[test]
    fn a_representation_is_replaced() {
        let mut builder = builder();
        let unit = builder.text(b"ms");
        builder.set_representation(1, unit);
        assert_eq!(builder.batch().row(0).fields().nth(1).unwrap().representation(), b"ms");
    }
}
