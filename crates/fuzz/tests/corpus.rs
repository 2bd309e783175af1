//! Every input of the corpus, as fuzzing runs it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail")]

use std::path::Path;

use message_extensions_fuzz::TARGETS;

fn run(name: &str) {
    let check = TARGETS.iter().find(|(target, _)| *target == name).unwrap().1;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name);
    let mut files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{} is empty", folder.display());
    for file in files {
        let input = std::fs::read(&file).unwrap();
        let outcome = std::panic::catch_unwind(|| check(&input));
        assert!(outcome.is_ok(), "failed with {}", file.display());
    }
}

macro_rules! corpora {
    ($($test:ident: $name:literal;)*) => {
        $(#[test] fn $test() { run($name); })*

        #[test]
        fn every_target_is_run_and_the_corpus_is_small() {
            let run = [$($name),*];
            assert!(TARGETS.iter().all(|(target, _)| run.contains(target)) && run.len() == TARGETS.len());
            let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
            let files = run.iter().flat_map(|name| std::fs::read_dir(corpus.join(name)).unwrap());
            let bytes: u64 = files.map(|file| file.unwrap().metadata().unwrap().len()).sum();
            assert!(bytes < 200_000, "{bytes} bytes");
        }
    };
}

corpora! {
    bodies_are_accepted_as_they_are_or_refused_for_a_reason: "body";
    operations_do_what_the_law_says: "law";
    a_server_answers_whatever_it_is_called_with: "rest";
    signatures_are_good_for_what_they_were_minted_for: "usersig";
    frames_from_clients_are_answered_or_refused: "push";
    whatever_a_server_says_settles_each_call_once: "client";
}
