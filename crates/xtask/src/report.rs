//! Counting: a row for each step, a table of them at the end, and the last line.

use std::time::{Duration, Instant};

use anyhow::Result;

/// How many tests a step ran.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
}

impl Counts {
    /// A step that is one check by itself.
    pub(crate) const ONE: Self = Self { passed: 1, failed: 0 };

    /// Sums the lines `test result: …` of cargo's and wasm-bindgen's test runners.
    pub(crate) fn of_test_results(output: &str) -> Self {
        let mut sum = Self::default();
        for (_, result) in output.lines().filter_map(|line| line.split_once("test result: ")) {
            sum.passed += number_before(result, " passed");
            sum.failed += number_before(result, " failed");
        }
        sum
    }
}

fn number_before(text: &str, word: &str) -> u64 {
    let before = text.split_once(word).map_or("", |(before, _)| before);
    before.rsplit(|c: char| !c.is_ascii_digit()).next().and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

/// What became of a step: how many of its tests passed and failed, and why it failed if it did.
pub(crate) struct Outcome {
    pub(crate) counts: Counts,
    pub(crate) result: Result<()>,
}

impl Outcome {
    /// A step that checks nothing, but that others stand on.
    pub(crate) fn uncounted(result: Result<()>) -> Self {
        Self { counts: Counts::default(), result }
    }

    /// A program that ran tests: what it printed says how many.
    pub(crate) fn of_tests((output, result): (String, Result<()>)) -> Self {
        Self { counts: Counts::of_test_results(&output), result }
    }
}

impl From<Result<()>> for Outcome {
    /// A step that is one check.
    fn from(result: Result<()>) -> Self {
        Self { counts: if result.is_ok() { Counts::ONE } else { Counts::default() }, result }
    }
}

impl From<Result<Self>> for Outcome {
    fn from(outcome: Result<Self>) -> Self {
        outcome.unwrap_or_else(|error| Self { counts: Counts::default(), result: Err(error) })
    }
}

struct Row {
    name: String,
    took: Duration,
    counts: Counts,
    trouble: Option<String>,
}

/// The steps so far.
#[derive(Default)]
pub(crate) struct Report {
    rows: Vec<Row>,
}

impl Report {
    /// Does a step and takes down what became of it; true when all was well.
    pub(crate) fn step<T: Into<Outcome>>(&mut self, name: &str, work: impl FnOnce() -> T) -> bool {
        println!("\n── {name}");
        let started = Instant::now();
        let Outcome { mut counts, result } = work().into();
        // A step may fail without a test that failed: it did not compile, or a browser did not start.
        if result.is_err() && counts.failed == 0 {
            counts.failed = 1;
        }
        let took = started.elapsed();
        let trouble = result.err().map(|error| format!("{error:#}"));
        match &trouble {
            Some(trouble) => println!("── {name}: FAILED after {:.1} s: {trouble}", took.as_secs_f64()),
            None => println!("── {name}: fine, {:.1} s", took.as_secs_f64()),
        }
        let well = trouble.is_none() && counts.failed == 0;
        self.rows.push(Row { name: name.to_owned(), took, counts, trouble });
        well
    }

    /// Takes down a step that cannot be done because of an earlier one.
    pub(crate) fn skip(&mut self, name: &str, why: &str) {
        println!("\n── {name}: not run: {why}");
        let counts = Counts { passed: 0, failed: 1 };
        let trouble = Some(format!("not run: {why}"));
        self.rows.push(Row { name: name.to_owned(), took: Duration::ZERO, counts, trouble });
    }

    /// Prints the table and, as the last line, the sums; true when nothing failed.
    pub(crate) fn finish(&self) -> bool {
        println!("\n{:<44} {:>8} {:>7} {:>7}", "step", "seconds", "passed", "failed");
        let mut sum = Counts::default();
        for Row { name, took, counts, trouble } in &self.rows {
            let Counts { passed, failed } = *counts;
            println!("{name:<44} {:>8.1} {passed:>7} {failed:>7}", took.as_secs_f64());
            if let Some(trouble) = trouble {
                println!("    {}", trouble.lines().next().unwrap_or_default());
            }
            sum.passed += passed;
            sum.failed += failed;
        }
        println!("{} passed, {} failed", sum.passed, sum.failed);
        sum.failed == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_result_line_of_a_test_run_counts() {
        let output = "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured\nnoise 7 passed\n\
                      test result: FAILED. 3 passed; 2 failed; 0 ignored\n";
        assert_eq!(Counts::of_test_results(output), Counts { passed: 15, failed: 2 });
    }

    #[test]
    fn a_step_that_fails_without_a_failed_test_counts_as_one() {
        let mut report = Report::default();
        assert!(report.step("well", || Ok::<(), anyhow::Error>(())));
        assert!(!report.step("ill", || Err::<(), _>(anyhow::anyhow!("no"))));
        let counts: Vec<Counts> = report.rows.iter().map(|row| row.counts).collect();
        assert_eq!(counts, [Counts::ONE, Counts { passed: 0, failed: 1 }]);
        assert!(!report.finish());
    }
}
