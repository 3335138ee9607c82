//! Random expressions on random messages: batches, single rows and canonical text agree with an evaluator that
//! is slow and plainly right.

use crate::Compiler;
use crate::atom::{Atom, FieldPath, FieldTest, NumberVariable, TextTest, TextVariable};
use crate::logic::Logic;
use crate::parse::parse;
use crate::pattern::Pattern;
use crate::regexp;
use crate::relation::{Number, NumberTest, Relation};
use heka_message::{Batch, BatchBuilder, FieldValue, Span, ValueType};
use proptest::prelude::*;
use proptest::sample::select;

/// A message as the naive evaluator sees it.
#[derive(Clone, Debug)]
struct Message {
    /// Uuid, Type, Logger, Payload, EnvVersion, Hostname.
    texts: [String; 6],
    timestamp: i64,
    severity: i32,
    pid: i32,
    signer: String,
    fields: Vec<(&'static str, Values)>,
}

#[derive(Clone, Debug)]
enum Values {
    Text(Vec<&'static str>),
    Bytes(Vec<&'static str>),
    Integers(Vec<i64>),
    Doubles(Vec<f64>),
    Bools(Vec<bool>),
}

const UUID: &str = "00000000-0000-0000-0000-00000000000a";

fn ordered<T: PartialOrd>(relation: Relation, a: T, b: T) -> bool {
    match relation {
        Relation::Less => a < b,
        Relation::Equal => a == b,
        Relation::LessEqual => a <= b,
        Relation::Greater => a > b,
        Relation::NotEqual => a != b,
        Relation::GreaterEqual => a >= b,
    }
}

fn text_holds(test: &TextTest, text: &str) -> bool {
    match test {
        TextTest::Compare(relation, literal) => ordered(*relation, text.as_bytes(), literal.as_bytes()),
        TextTest::Search { pattern, negated } => {
            regexp::compile(pattern.source()).unwrap().is_match(text.as_bytes()) != *negated
        }
    }
}

/// All numbers of these tests are small enough to be exact as floats.
fn number_holds(test: &NumberTest, value: f64) -> bool {
    let number = match test.number {
        Number::Integer(number) => number as f64,
        Number::Double(number) => number,
    };
    ordered(test.relation, value, number)
}

fn field_holds(path: &FieldPath, test: &FieldTest, message: &Message) -> bool {
    let mut named = message.fields.iter().filter(|(name, _)| *name == path.name);
    let values = named.nth(path.field).map(|(_, values)| values);
    let count = match values {
        None => 0,
        Some(Values::Text(values) | Values::Bytes(values)) => values.len(),
        Some(Values::Integers(values)) => values.len(),
        Some(Values::Doubles(values)) => values.len(),
        Some(Values::Bools(values)) => values.len(),
    };
    let Some(values) = values.filter(|_| path.value < count) else { return matches!(test, FieldTest::Missing) };
    match (test, values) {
        (FieldTest::Missing, _) => false,
        (FieldTest::Present, _) => true,
        (FieldTest::Text(test), Values::Text(texts) | Values::Bytes(texts)) => text_holds(test, texts[path.value]),
        (FieldTest::Number(test), Values::Integers(numbers)) => number_holds(test, numbers[path.value] as f64),
        (FieldTest::Number(test), Values::Doubles(numbers)) => number_holds(test, numbers[path.value]),
        (FieldTest::Bool(literal), Values::Bools(bools)) => bools[path.value] == *literal,
        _ => false,
    }
}

fn holds(logic: &Logic<Atom>, message: &Message) -> bool {
    match logic {
        Logic::Constant(value) => *value,
        Logic::All(parts) => parts.iter().fold(true, |all, part| all & holds(part, message)),
        Logic::Any(parts) => parts.iter().fold(false, |any, part| any | holds(part, message)),
        Logic::Test(Atom::Text(variable, test)) => text_holds(test, &message.texts[*variable as usize]),
        Logic::Test(Atom::Number(variable, test)) => {
            let value = match variable {
                NumberVariable::Timestamp => message.timestamp,
                NumberVariable::Severity => message.severity.into(),
                NumberVariable::Pid => message.pid.into(),
            };
            number_holds(test, value as f64)
        }
        Logic::Test(Atom::Field(path, test)) => field_holds(path, test, message),
        Logic::Test(Atom::Signer(signer)) => *signer == message.signer,
    }
}

fn batch(messages: &[Message], interned: bool) -> Batch {
    let mut builder = BatchBuilder::default();
    let mut known: Vec<(String, Span)> = Vec::new();
    let mut text = |builder: &mut BatchBuilder, text: &str| match known.iter().find(|(known, _)| known == text) {
        Some((_, span)) if interned => *span,
        _ => {
            let span = builder.text(text.as_bytes());
            known.push((text.to_owned(), span));
            span
        }
    };
    for message in messages {
        let spans = message.texts.each_ref().map(|part| text(&mut builder, part));
        let signer = if message.signer.is_empty() { 0 } else { builder.signer(message.signer.as_bytes()) };
        let row = builder.row();
        if !message.texts[0].is_empty() {
            row.set_uuid([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 10]);
        }
        [row.msg_type, row.logger, row.payload, row.env_version, row.hostname] =
            [spans[1], spans[2], spans[3], spans[4], spans[5]];
        row.signer = signer;
        row.set_timestamp(message.timestamp);
        row.set_severity(message.severity);
        row.set_pid(message.pid);
        for (name, values) in &message.fields {
            let name = text(&mut builder, name);
            let (value_type, values): (_, Vec<FieldValue<'_>>) = match values {
                Values::Text(v) => (ValueType::String, v.iter().map(|v| FieldValue::String(v.as_bytes())).collect()),
                Values::Bytes(v) => (ValueType::Bytes, v.iter().map(|v| FieldValue::Bytes(v.as_bytes())).collect()),
                Values::Integers(v) => (ValueType::Integer, v.iter().map(|v| FieldValue::Integer(*v)).collect()),
                Values::Doubles(v) => (ValueType::Double, v.iter().map(|v| FieldValue::Double(*v)).collect()),
                Values::Bools(v) => (ValueType::Bool, v.iter().map(|v| FieldValue::Bool(*v)).collect()),
            };
            builder.open_field(name, Span::NONE, value_type);
            assert!(values.into_iter().all(|value| builder.add_value(value)));
        }
    }
    builder.finish()
}

/// Texts short and few enough to be equal often; with all that printing must take care of.
const TEXTS: [&str; 9] = ["", "a", "b", "ab", "it's", "say \"b\"", r"a\nb", r"a\\", "é/b"];
/// Names of equal and of different lengths.
const NAMES: [&str; 4] = ["one", "two", "three", "odd name!"];
const PATTERNS: [&str; 12] =
    ["", "a", "^a", "b$", "^ab$", "a|b", "^.$", r"\w", "(?i)A", "[^a]/", r#"["']"#, "^(it|say).*[sb\"]$"];

fn message() -> impl Strategy<Value = Message> {
    let few = |count| 0..count;
    let values = prop_oneof![
        proptest::collection::vec(select(&TEXTS[..]), few(3)).prop_map(Values::Text),
        proptest::collection::vec(select(&TEXTS[..]), few(3)).prop_map(Values::Bytes),
        proptest::collection::vec(-2..3i64, few(3)).prop_map(Values::Integers),
        proptest::collection::vec(select(vec![-1.0, 0.5, 1.0, f64::NAN]), few(3)).prop_map(Values::Doubles),
        proptest::collection::vec(any::<bool>(), few(3)).prop_map(Values::Bools),
    ];
    let texts = proptest::array::uniform6(select(&TEXTS[..]));
    let fields = proptest::collection::vec((select(&NAMES[..]), values), 0..5);
    (texts, any::<bool>(), 0..3i64, 0..8i32, 0..3i32, select(vec!["", "ops", "dev"]), fields).prop_map(
        |(texts, uuid, timestamp, severity, pid, signer, fields)| {
            let mut texts = texts.map(str::to_owned);
            texts[0] = if uuid { UUID.to_owned() } else { String::new() };
            Message { texts, timestamp, severity, pid, signer: signer.to_owned(), fields }
        },
    )
}

fn atom() -> impl Strategy<Value = Atom> {
    use Relation::*;
    // Equality comes often, so that groups of equalities form.
    let relation = || select(vec![Equal, Equal, Equal, Equal, NotEqual, Greater, GreaterEqual, Less, LessEqual]);
    let text = move || {
        prop_oneof![
            2 => (relation(), select([&TEXTS[..], &[UUID]].concat()))
                .prop_map(|(relation, text)| TextTest::Compare(relation, text.to_owned())),
            1 => (select(&PATTERNS[..]), any::<bool>())
                .prop_map(|(source, negated)| TextTest::Search { pattern: Pattern::new(source).unwrap(), negated }),
        ]
    };
    let number = move || {
        let number = select(vec![Number::Integer(0), Number::Integer(1), Number::Integer(5), Number::Double(0.5)]);
        (relation(), number).prop_map(|(relation, number)| NumberTest { relation, number })
    };
    let text_variables = {
        use TextVariable::*;
        vec![Uuid, Type, Type, Logger, Payload, EnvVersion, Hostname]
    };
    let number_variables = vec![NumberVariable::Timestamp, NumberVariable::Severity, NumberVariable::Pid];
    let path = (select(&NAMES[..]), select(vec![0, 0, 0, 1]), select(vec![0, 0, 0, 1]))
        .prop_map(|(name, field, value)| FieldPath { name: name.to_owned(), field, value });
    let field_test = prop_oneof![
        4 => text().prop_map(FieldTest::Text),
        2 => number().prop_map(FieldTest::Number),
        1 => any::<bool>().prop_map(FieldTest::Bool),
        1 => Just(FieldTest::Missing),
        1 => Just(FieldTest::Present),
    ];
    prop_oneof![
        3 => (select(text_variables), text()).prop_map(|(variable, test)| Atom::Text(variable, test)),
        1 => (select(number_variables), number()).prop_map(|(variable, test)| Atom::Number(variable, test)),
        3 => (path, field_test).prop_map(|(path, test)| Atom::Field(path, test)),
    ]
}

fn expression() -> impl Strategy<Value = Logic<Atom>> {
    let leaf = prop_oneof![1 => any::<bool>().prop_map(Logic::Constant), 8 => atom().prop_map(Logic::Test)];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let parts = proptest::collection::vec(inner, 2..5);
        prop_oneof![parts.clone().prop_map(Logic::All), parts.prop_map(Logic::Any)]
    })
}

proptest! {
    #[test]
    fn batches_and_rows_agree_with_the_naive_evaluator(
        expressions in proptest::collection::vec((expression(), select(vec![None, None, Some("ops")])), 1..8),
        messages in proptest::collection::vec(message(), 0..80),
        interned in any::<bool>(),
        cached in any::<bool>(),
    ) {
        let mut compiler = Compiler::new();
        let matchers: Vec<_> = expressions
            .iter()
            .map(|(logic, signer)| compiler.compile(&logic.to_string(), *signer).unwrap())
            .collect();
        let predicates = if cached { compiler.finish() } else { compiler.finish_uncached() };
        let batch = batch(&messages, interned);
        for ((logic, signer), matcher) in expressions.iter().zip(&matchers) {
            let rows = matcher.select(&predicates, &batch);
            for (index, message) in messages.iter().enumerate() {
                let expected = signer.is_none_or(|signer| signer == message.signer) && holds(logic, message);
                prop_assert_eq!(rows.contains(index), expected, "{} on {:?}", logic, message);
                prop_assert_eq!(matcher.matches(&predicates, batch.row(index)), expected, "{} alone", logic);
                let ruled_out = if expected { matcher.is_never() } else { matcher.is_always() };
                prop_assert!(!ruled_out, "{} is no constant", logic);
            }
            prop_assert_eq!(rows.iter(messages.len()).filter(|row| *row >= messages.len()).count(), 0);
        }
    }

    #[test]
    fn printed_expressions_read_back_with_the_same_meaning(logic in expression(), messages in proptest::collection::vec(message(), 8)) {
        let text = logic.to_string();
        let again = parse(&text).unwrap();
        prop_assert_eq!(again.to_string(), text, "printing what was read changes nothing");
        for message in &messages {
            prop_assert_eq!(holds(&again, message), holds(&logic, message));
        }
    }

    #[test]
    fn any_string_read_is_printed_so_that_it_reads_back(inside in r#"[ab\\'"é]{0,8}"#, quote in "['\"]") {
        if let Ok(logic) = parse(&format!("Type == {quote}{inside}{quote}")) {
            prop_assert_eq!(parse(&logic.to_string()).unwrap(), logic);
        }
    }

    #[test]
    fn any_pattern_read_is_printed_so_that_it_reads_back(inside in r"(a|\\/|\\\\|\\\.|\.|\[/\\\]\]){0,6}") {
        if let Ok(logic) = parse(&format!("Type =~ /{inside}/")) {
            prop_assert_eq!(parse(&logic.to_string()).unwrap(), logic);
        }
    }
}
