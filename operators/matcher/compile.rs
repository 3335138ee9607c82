//! From a matcher's text to something that picks rows out of batches.

use crate::MatchError;
use crate::atom::Atom;
use crate::logic::Logic;
use crate::parse::parse;
use crate::predicates::Predicates;
use heka_message::{Batch, RowRef, RowSet};
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

/// Collects the predicates of all matchers of a plan. Equal predicates are shared.
#[derive(Debug, Default)]
pub struct Compiler {
    /// Each predicate and how often it is used; its position is its number.
    atoms: Vec<(Atom, usize)>,
    /// Numbers by canonical text: equal text is equal meaning.
    numbers: HashMap<String, usize>,
}

impl Compiler {
    /// A compiler that knows no predicate yet.
    pub fn new() -> Self {
        Compiler::default()
    }

    /// Compiles the text of a `message_matcher`. With a `signer` (the plugin's `message_signer`), only
    /// messages whose verified signer has this name match. An empty name asks for no signer.
    pub fn compile(&mut self, text: &str, signer: Option<&str>) -> Result<Matcher, MatchError> {
        let expression = parse(text)?;
        let text = expression.to_string();
        let signer = signer.filter(|name| !name.is_empty());
        let checked = match signer {
            Some(name) => Logic::All(vec![Logic::Test(Atom::Signer(name.to_owned())), expression]),
            None => expression,
        };
        let mut logic = checked
            .map(&mut |atom: Atom| atom.constant().map_or_else(|| Logic::Test(atom), Logic::Constant))
            .simplify();
        logic.cheapest_first(&Atom::cost);
        let logic = logic.map(&mut |atom| Logic::Test(self.intern(atom)));
        Ok(Matcher(Arc::new(Compiled { logic, text, signer: signer.map(str::to_owned) })))
    }

    fn intern(&mut self, atom: Atom) -> usize {
        let next = self.atoms.len();
        let number = *self.numbers.entry(atom.to_string()).or_insert(next);
        match self.atoms.get_mut(number) {
            Some((_, uses)) => *uses += 1,
            None => self.atoms.push((atom, 1)),
        }
        number
    }

    /// The predicates of everything compiled so far, to be passed to its matchers. Results are kept on the
    /// batches, so a dataflow has one such table.
    pub fn finish(self) -> Arc<Predicates> {
        Arc::new(Predicates::new(self.atoms, true))
    }

    /// As [`Self::finish`], but results are not kept on the batches: for matchers that join a running
    /// dataflow, whose batches have slots only for the plan's own predicates.
    pub fn finish_uncached(self) -> Arc<Predicates> {
        Arc::new(Predicates::new(self.atoms, false))
    }
}

/// A compiled matcher. Cheap to clone. Displays as the canonical text of its expression.
///
/// The predicates passed to its methods are those of the compiler it came from; others give wrong results or
/// a panic.
#[derive(Clone)]
pub struct Matcher(Arc<Compiled>);

struct Compiled {
    logic: Logic<usize>,
    text: String,
    signer: Option<String>,
}

impl Matcher {
    /// The rows of `batch` that match. Each shared predicate is evaluated at most once per batch.
    pub fn select(&self, predicates: &Predicates, batch: &Batch) -> RowSet {
        select(&self.0.logic, predicates, batch, &RowSet::All)
    }

    /// Whether one message matches.
    pub fn matches(&self, predicates: &Predicates, row: RowRef<'_>) -> bool {
        self.0.logic.holds(&|number| predicates.holds(*number, row))
    }

    /// Whether every message matches, whoever signed it.
    pub fn is_always(&self) -> bool {
        matches!(self.0.logic, Logic::Constant(true))
    }

    /// Whether no message can match.
    pub fn is_never(&self) -> bool {
        matches!(self.0.logic, Logic::Constant(false))
    }

    /// The name a message's signer must have.
    pub fn signer(&self) -> Option<&str> {
        self.0.signer.as_deref()
    }
}

/// The rows among `within` that match. A conjunction narrows what its later parts look at; a disjunction looks
/// only at the rows its earlier parts refused.
fn select(logic: &Logic<usize>, predicates: &Predicates, batch: &Batch, within: &RowSet) -> RowSet {
    match logic {
        Logic::Constant(true) => within.clone(),
        Logic::Constant(false) => RowSet::None,
        Logic::Test(number) => predicates.select(*number, batch, within),
        Logic::All(parts) => {
            let mut rows = within.clone();
            for part in parts {
                if rows.is_none() {
                    break;
                }
                rows = select(part, predicates, batch, &rows);
            }
            rows
        }
        Logic::Any(parts) => {
            let mut rows = RowSet::None;
            let mut open = within.clone();
            for part in parts {
                if open.is_none() {
                    break;
                }
                let found = select(part, predicates, batch, &open);
                if !found.is_none() {
                    open = open.without(&found, batch.len());
                    rows = rows.or(&found, batch.len());
                }
            }
            rows
        }
    }
}

impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.text)
    }
}

impl fmt::Debug for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Matcher({self}")?;
        self.signer().iter().try_for_each(|signer| write!(f, ", signed by {signer:?}"))?;
        f.write_str(")")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use heka_message::{BatchBuilder, Span};

    fn typed(types: &[&str]) -> Batch {
        let mut builder = BatchBuilder::default();
        for text in types {
            let span = builder.text(text.as_bytes());
            builder.row().msg_type = span;
        }
        builder.finish()
    }

    fn rows(matcher: &Matcher, predicates: &Predicates, batch: &Batch) -> Vec<usize> {
        matcher.select(predicates, batch).iter(batch.len()).collect()
    }

    #[test]
    fn equal_predicates_are_shared_however_they_are_written() {
        let mut compiler = Compiler::new();
        for text in ["Severity == 4", "Severity==4.0", "(Type == 'a') && Severity == 4e0", "Type == \"a\""] {
            compiler.compile(text, None).unwrap();
        }
        compiler.compile("Type == 'a'", Some("ops")).unwrap();
        compiler.compile("TRUE", Some("ops")).unwrap();
        assert_eq!(compiler.finish().len(), 3);
    }

    #[test]
    fn constants_are_known_before_any_message() {
        let mut compiler = Compiler::new();
        for (text, signer, always, never) in [
            ("TRUE", None, true, false),
            ("FALSE", None, false, true),
            ("TRUE", Some("ops"), false, false),
            ("TRUE", Some(""), true, false),
            ("FALSE", Some("ops"), false, true),
            ("Type == 'a' || TRUE", None, true, false),
            ("Type == 'a' && FALSE", None, false, true),
            ("Payload =~ // && TRUE", None, true, false),
            ("Payload !~ //", None, false, true),
            ("Type == 'a' && TRUE", None, false, false),
        ] {
            let matcher = compiler.compile(text, signer).unwrap();
            assert_eq!((matcher.is_always(), matcher.is_never()), (always, never), "{text}");
        }
        assert_eq!(compiler.finish().len(), 2, "predicates that settle nothing are not kept");
    }

    #[test]
    fn a_matcher_prints_what_was_written_in_canonical_form() {
        let text = "( Fields[status][0]>=500.0)&&(Type==\"a\"||TRUE)\n|| Payload=~/\\/x/";
        let matcher = Compiler::new().compile(text, Some("ops")).unwrap();
        assert_eq!(matcher.to_string(), "Fields[status] >= 500 && (Type == 'a' || TRUE) || Payload =~ /\\/x/");
        assert!(format!("{matcher:?}").ends_with("/, signed by \"ops\")"));
        assert_eq!(matcher.signer(), Some("ops"));
    }

    #[test]
    fn the_signer_must_be_the_very_one() {
        let mut builder = BatchBuilder::default();
        for name in ["ops", "", "ops_1"] {
            let signer = if name.is_empty() { 0 } else { builder.signer(name.as_bytes()) };
            builder.row().signer = signer;
        }
        let batch = builder.finish();
        let mut compiler = Compiler::new();
        let (signed, other) =
            (compiler.compile("TRUE", Some("ops")).unwrap(), compiler.compile("Severity == 7", Some("op")).unwrap());
        let predicates = compiler.finish();
        assert_eq!(rows(&signed, &predicates, &batch), [0]);
        assert!(batch.rows().zip([true, false, false]).all(|(row, hit)| signed.matches(&predicates, row) == hit));
        assert_eq!(other.select(&predicates, &batch), RowSet::None);
    }

    #[test]
    fn one_text_for_all_rows_needs_no_bitmap() {
        let mut builder = BatchBuilder::default();
        let logfile = builder.text(b"logfile");
        (0..100).for_each(|_| builder.row().msg_type = logfile);
        let batch = builder.finish();
        let mut compiler = Compiler::new();
        let texts = ["Type == 'logfile'", "Type != 'logfile'", "Type =~ /^log/", "Hostname == ''"];
        let matchers = texts.map(|text| compiler.compile(text, None).unwrap());
        let predicates = compiler.finish();
        let sets = matchers.map(|matcher| matcher.select(&predicates, &batch));
        assert_eq!(sets, [RowSet::All, RowSet::None, RowSet::All, RowSet::All]);
    }

    #[test]
    fn many_equalities_of_one_variable_agree_with_each_alone() {
        let names = ["a", "b", "c", "d", "e", "", "much longer than any literal"];
        let types: Vec<&str> = (0..200).map(|i| names[i * i % names.len()]).collect();
        let batch = typed(&types);
        let mut together = Compiler::new();
        let literals = ["a", "b", "c", "d", "e", "", "absent"];
        let matchers = literals.map(|l| together.compile(&format!("Type == '{l}'"), None).unwrap());
        let predicates = together.finish();
        for (literal, matcher) in literals.iter().zip(matchers).rev() {
            let expected: Vec<usize> = (0..200).filter(|&i| types[i] == *literal).collect();
            assert_eq!(rows(&matcher, &predicates, &batch), expected, "{literal}");
        }
    }

    #[test]
    fn many_equalities_of_one_field_agree_with_each_alone() {
        use heka_message::FieldValue::{Bytes, Integer, String};
        let values = [Some(String(b"a")), None, Some(Integer(1)), Some(Bytes(b"b")), Some(String(b"other")), None];
        let mut builder = BatchBuilder::default();
        let name = builder.text(b"name");
        for value in values {
            builder.row();
            value.iter().for_each(|value| builder.field(name, Span::NONE, *value));
        }
        let batch = builder.finish();
        let mut compiler = Compiler::new();
        let matchers =
            ["a", "b", "c", "1", ""].map(|l| compiler.compile(&format!("Fields[name] == '{l}'"), None).unwrap());
        let predicates = compiler.finish();
        let found = matchers.map(|matcher| rows(&matcher, &predicates, &batch));
        assert_eq!(found, [vec![0], vec![3], vec![], vec![], vec![]]);
    }

    #[test]
    fn matchers_that_come_later_leave_the_slots_of_the_plan_alone() {
        let batch = typed(&["a", "b", "c"]);
        let compile = |text: &str| {
            let mut compiler = Compiler::new();
            let twice = [compiler.compile(text, None).unwrap(), compiler.compile(text, None).unwrap()];
            (twice, compiler)
        };
        let (late, compiler) = compile("Type == 'c' || Type == 'b'");
        let late_predicates = compiler.finish_uncached();
        let (plan, compiler) = compile("Type == 'a'");
        let predicates = compiler.finish();
        assert_eq!(rows(&late[0], &late_predicates, &batch), [1, 2]);
        assert_eq!(rows(&plan[0], &predicates, &batch), [0]);
        assert_eq!(rows(&late[1], &late_predicates, &batch), [1, 2]);
        assert_eq!(rows(&plan[1], &predicates, &batch), [0]);
    }

    #[test]
    fn batches_may_be_empty_and_texts_unset() {
        let mut compiler = Compiler::new();
        let unset = compiler.compile("Type == '' && Uuid == '' && Severity == 7 && Pid == 0", None).unwrap();
        let predicates = compiler.finish();
        assert!(unset.select(&predicates, &Batch::default()).is_none());
        let mut builder = BatchBuilder::default();
        builder.row().msg_type = Span::NONE;
        assert_eq!(unset.select(&predicates, &builder.finish()), RowSet::All);
    }
}
