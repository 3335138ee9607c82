//! `-check`, `-version` and bad configurations, as users meet them.

mod support;

use support::Site;

#[test]
fn a_good_configuration_passes() {
    let site = Site::new("[LogstreamerInput]\nfile_match = 'x'\n");
    let run = site.run(&["-check"]);
    assert_eq!((run.status.code(), run.stdout.as_slice()), (Some(0), &b""[..]));
}

#[test]
fn what_can_hold_an_input_back_is_noted_and_no_mistake() {
    let site = Site::new(
        "[LogstreamerInput]\nfile_match = 'x'\n[PayloadEncoder]\n\
         [LogOutput]\nmessage_matcher = \"TRUE\"\nencoder = \"PayloadEncoder\"\n",
    );
    let run = site.run(&["-check"]);
    let text = String::from_utf8(run.stdout).unwrap();
    assert_eq!(run.status.code(), Some(0), "{text}");
    let note = "note: LogstreamerInput can be held back by\n  LogOutput: it has no queue on disk (use_buffering)\n";
    assert_eq!(text, note);
}

#[test]
fn all_mistakes_are_shown_at_once_with_their_places() {
    let site = Site::new(
        "[LogstreamerInput]\nfile_match = 'x'\nsplitter = \"TokenSpliter\"\n\
         [PayloadEncoder]\nappend_newline = false\n\
         [LogOutput]\nmessage_matcher = \"Type == 'x' && \"\nencoder = \"PayloadEncoder\"\n",
    );
    let run = site.run(&["-check"]);
    let text = String::from_utf8(run.stderr).unwrap();
    assert_eq!(run.status.code(), Some(1), "{text}");
    assert!(text.contains("unknown config setting for 'PayloadEncoder': append_newline"), "{text}");
    assert!(text.contains("did you mean `append_newlines`?") && text.contains("hekad.toml:8:1"), "{text}");

    let site = Site::new(
        "[LogstreamerInput]\nfile_match = 'x'\nsplitter = \"TokenSpliter\"\n[PayloadEncoder]\n\
         [LogOutput]\nmessage_matcher = \"Type == 'x' && \"\nencoder = \"PayloadEncoder\"\n",
    );
    let run = site.run(&["-check"]);
    let text = String::from_utf8(run.stderr).unwrap();
    assert!(text.contains("LogstreamerInput specifies undefined splitter TokenSpliter"), "{text}");
    assert!(text.contains("did you mean `TokenSplitter`?"), "{text}");
    assert!(text.contains("Can't create message matcher for 'LogOutput': syntax error"), "{text}");
}

#[test]
fn the_command_line_is_checked() {
    let site = Site::new("");
    assert_eq!(site.run(&["-bogus"]).status.code(), Some(2));
    assert_eq!(site.run(&["-version"]).status.code(), Some(0));
    assert_eq!(site.run(&[]).status.code(), Some(1));
}
