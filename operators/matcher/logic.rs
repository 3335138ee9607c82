//! Tests joined by `&&` and `||`: the shape parsed, compiled and evaluated matchers share.

use std::fmt;

/// A tree of tests. Chains are flat lists, so only parentheses make it deeper.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Logic<T> {
    Constant(bool),
    Test(T),
    /// All hold (`&&`).
    All(Vec<Logic<T>>),
    /// At least one holds (`||`).
    Any(Vec<Logic<T>>),
}

impl<T> Logic<T> {
    /// The same tree with every test replaced.
    pub(crate) fn map<U>(self, replace: &mut impl FnMut(T) -> Logic<U>) -> Logic<U> {
        match self {
            Logic::Constant(value) => Logic::Constant(value),
            Logic::Test(test) => replace(test),
            Logic::All(parts) => Logic::All(parts.into_iter().map(|part| part.map(replace)).collect()),
            Logic::Any(parts) => Logic::Any(parts.into_iter().map(|part| part.map(replace)).collect()),
        }
    }

    /// The same meaning without constants below the top, lists in lists, or lists of one.
    pub(crate) fn simplify(self) -> Self {
        match self {
            Logic::All(parts) => Logic::join(parts, true),
            Logic::Any(parts) => Logic::join(parts, false),
            leaf => leaf,
        }
    }

    /// Joins by `&&` when `all`, else by `||`; `all` is also the constant that changes nothing in the list.
    fn join(parts: Vec<Logic<T>>, all: bool) -> Self {
        let mut flat = Vec::with_capacity(parts.len());
        for part in parts {
            match (part.simplify(), all) {
                (Logic::Constant(value), _) if value == all => {}
                (Logic::Constant(value), _) => return Logic::Constant(value),
                (Logic::All(inner), true) | (Logic::Any(inner), false) => flat.extend(inner),
                (part, _) => flat.push(part),
            }
        }
        match (flat.len(), all) {
            (0, _) => Logic::Constant(all),
            (1, _) => flat.swap_remove(0),
            (_, true) => Logic::All(flat),
            (_, false) => Logic::Any(flat),
        }
    }

    /// Puts cheap tests first: tests change nothing, so their order cannot be seen, and what a cheap one
    /// settles a dear one need not look at. A list costs what its dearest part costs.
    pub(crate) fn cheapest_first(&mut self, cost: &impl Fn(&T) -> u32) -> u32 {
        match self {
            Logic::Constant(_) => 0,
            Logic::Test(test) => cost(test),
            Logic::All(parts) | Logic::Any(parts) => {
                let mut costed: Vec<_> = parts.drain(..).map(|mut part| (part.cheapest_first(cost), part)).collect();
                costed.sort_by_key(|(cost, _)| *cost);
                let dearest = costed.last().map_or(0, |(cost, _)| *cost);
                parts.extend(costed.into_iter().map(|(_, part)| part));
                dearest
            }
        }
    }

    /// The truth, given that of each test.
    pub(crate) fn holds(&self, test: &impl Fn(&T) -> bool) -> bool {
        match self {
            Logic::Constant(value) => *value,
            Logic::Test(leaf) => test(leaf),
            Logic::All(parts) => parts.iter().all(|part| part.holds(test)),
            Logic::Any(parts) => parts.iter().any(|part| part.holds(test)),
        }
    }
}

impl<T: fmt::Display> fmt::Display for Logic<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (parts, operator) = match self {
            Logic::Constant(value) => return f.write_str(if *value { "TRUE" } else { "FALSE" }),
            Logic::Test(test) => return test.fmt(f),
            Logic::All(parts) => (parts, " && "),
            Logic::Any(parts) => (parts, " || "),
        };
        for (at, part) in parts.iter().enumerate() {
            f.write_str(if at == 0 { "" } else { operator })?;
            match (self, part) {
                (Logic::All(_), Logic::Any(_)) => write!(f, "({part})")?,
                _ => part.fmt(f)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Logic::{All, Any, Constant, Test};

    #[test]
    fn constants_and_needless_lists_disappear() {
        for (logic, simple) in [
            (All(vec![Constant(true), Test('a')]), Test('a')),
            (All(vec![Test('a'), Constant(false)]), Constant(false)),
            (Any(vec![Constant(false), Test('a')]), Test('a')),
            (Any(vec![Test('a'), Constant(true)]), Constant(true)),
            (All(vec![Constant(true), Constant(true)]), Constant(true)),
            (All(vec![All(vec![Test('a'), Test('b')]), Test('c')]), All(vec![Test('a'), Test('b'), Test('c')])),
            (Any(vec![Any(vec![Test('a'), Test('b')]), Test('c')]), Any(vec![Test('a'), Test('b'), Test('c')])),
            (
                All(vec![Any(vec![Test('a'), Constant(true)]), Any(vec![Test('b'), Test('c')])]),
                Any(vec![Test('b'), Test('c')]),
            ),
        ] {
            assert_eq!(logic.simplify(), simple);
        }
    }

    #[test]
    fn cheap_tests_move_to_the_front_and_equals_keep_their_order() {
        let mut logic = Any(vec![All(vec![Test(9), Test(2)]), Test(5), Test(1), Test(5)]);
        logic.cheapest_first(&|cost| *cost);
        assert_eq!(logic, Any(vec![Test(1), Test(5), Test(5), All(vec![Test(2), Test(9)])]));
    }

    #[test]
    fn parentheses_are_printed_only_where_needed() {
        let logic = Any(vec![All(vec![Test('a'), Any(vec![Test('b'), Test('c')])]), Any(vec![Test('d'), Test('e')])]);
        assert_eq!(logic.to_string(), "a && (b || c) || d || e");
    }
}
