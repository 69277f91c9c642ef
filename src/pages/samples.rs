//! Every view with contents that are hard to set: long, foreign, empty, hostile.

use std::any::Any;

use askama::{DynTemplate, Template};
use chrono::NaiveDate;

use crate::access::{Role, Scope};
use crate::audit;
use crate::compare;
use crate::markdown;
use crate::pages::account::{self, Account, SignIn, WantedToken};
use crate::pages::feed::{self, Feed};
use crate::pages::history::{Compare, Entry, History, Revert, Revision, Side};
use crate::pages::lists::{Audit, Changes, Found, Member, Pages, Piece, Search, Sort, Tagged, Tags, User, Users};
use crate::pages::parts::{Change, Listed, Name, Person, Rendered, Tag, Viewer};
use crate::pages::problem::Failure;
use crate::pages::read::{Backlinks, Deleted, Front, Home, Missing, Page};
use crate::pages::write::{Conflict, Delete, Draft, Edit, Preview, Target};
use crate::problem::{FieldError, Problem};
use crate::sessions::Session;
use crate::time::Time;
use crate::tokens::Token;

/// Makes the views; every text a person could have written goes through `text`.
pub struct Samples<F: Fn(&str) -> String> {
    pub text: F,
}

const TITLES: [&str; 8] = [
    "How we deploy, and how we undo it",
    "Ein ganz gewöhnlicher Titel über die Größe der Füße",
    "الصفحة الرئيسية للمشروع",
    "日本語のページの書き方",
    "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft",
    "C++ & <templates>: \"quoted\" 'things'",
    "Meeting notes",
    "A title that goes on for rather longer than anybody who had to read it in a list of search results on a telephone \
     would like, because titles may have two hundred characters",
];
const COMMENTS: [&str; 4] = ["Fix the address of the registry", "", "Tippfehler", "توضيح طريقة النشر"];
const PEOPLE: [&str; 4] = ["Ada Lovelace", "Jürgen", "فاطمة", "someone-with-a-rather-long-user-name"];
const OLDER: &str = "# Deploying\n\nWe deploy on Tuesdays.\n\nThe quick brown fox jumps over the lazy dog.\n\nAsk Ada.\n\n1\n2\n3\n4\n5\n6\n7\n8\n9\nThe end";
const NEWER: &str = "# Deploying\n\nWe deploy on any day but Friday.\n\nThe quick red fox jumps over the lazy dog.\n\nAsk Ada.\n\n1\n2\n3\n4\n5\n6\n7\n8\n9\nA new line that is long enough that it has to be broken on every screen there is, since nobody wrote an end of line into it until here.\n`<script>alert(\"&\")</script>`\nThe end\n";

impl<F: Fn(&str) -> String> Samples<F> {
    fn text(&self, text: &str) -> String {
        (self.text)(text)
    }

    fn name(&self, index: usize) -> Name {
        let title = TITLES[index % TITLES.len()];
        Name { slug: self.text(&wiki_types::slug::slugify(title)), title: self.text(title) }
    }

    fn person(&self, index: usize) -> Person {
        let id = (!index.is_multiple_of(4)).then_some(index as i64);
        Person { id, name: self.text(PEOPLE[index % PEOPLE.len()]) }
    }

    fn tags(&self, many: usize) -> Vec<String> {
        let tags =
            ["operations", "größe", "日本", "c++", "how-to", "العربية", "a-tag-of-some-considerable-length", "x"];
        tags.iter().cycle().take(many).map(|tag| self.text(tag)).collect()
    }

    fn rendered(&self) -> Rendered {
        let mut page = markdown::render(include_str!("sample.md"), "", |slug| slug == "on-call");
        for heading in &mut page.headings {
            heading.text = self.text(&heading.text);
        }
        page
    }

    fn change(&self, index: usize) -> Change {
        Change {
            page: self.name(index),
            version: [3, 1, 12, 240][index % 4],
            author: self.person(index),
            comment: self.text(COMMENTS[index % COMMENTS.len()]),
            delta: [120, 2048, -35, 0][index % 4],
            time: time(22 - index as u32 / 3, index as u32),
        }
    }

    fn entry(&self, version: i64) -> Entry {
        let index = version as usize;
        Entry {
            version,
            time: time(version as u32, 10),
            author: self.person(index),
            comment: self.text(COMMENTS[index % COMMENTS.len()]),
            size: 1200 + version,
            delta: [120, -7, 0][index % 3],
        }
    }

    fn listed(&self, many: usize) -> Vec<Listed> {
        let page =
            |index| Listed { page: self.name(index), tags: self.tags(index % 5), updated: time(20, index as u32) };
        (0..many).map(page).collect()
    }

    fn counted(&self) -> Vec<Tag> {
        let tags = self.tags(8).into_iter().enumerate();
        tags.map(|(index, name)| Tag { name, pages: 3_i64.pow(8 - index as u32) }).collect()
    }

    fn member(&self, index: usize) -> Member {
        let username = (index.is_multiple_of(2)).then(|| self.text("ada.lovelace"));
        Member { id: index as i64, name: self.text(PEOPLE[index % 4]), username, joined: time(3, 4) }
    }

    fn draft(&self, version: Option<i64>) -> Draft {
        Draft {
            title: self.text(TITLES[0]),
            slug: self.text("how-we-deploy"),
            content: self.text(NEWER),
            tags: self.text("operations, how-to"),
            comment: self.text("Say on which days"),
            author: self.text("Ada Lovelace"),
            page: version.map(|_| 4),
            version,
        }
    }

    fn edit(&self, target: Target) -> Edit {
        let version = matches!(target, Target::Existing(_)).then_some(7);
        Edit { target, draft: self.draft(version), errors: Vec::new(), preview: None, conflict: None }
    }

    fn conflict(&self, combined: bool) -> Conflict {
        Conflict {
            author: self.person(1),
            time: time(22, 4),
            version: 8,
            title: self.text("How we deploy"),
            tags: self.text("operations"),
            content: self.text(OLDER),
            difference: compare::difference(&self.text(OLDER), &self.text(NEWER)),
            combined,
        }
    }

    fn found(&self, index: usize) -> Found {
        let piece = |text, matched| Piece { text: self.text(text), matched };
        Found {
            page: self.name(index),
            snippet: vec![
                piece("… which is why we ", false),
                piece("deploy", true),
                piece(" on any day but Friday, and never <after> lunch. Who ", false),
                piece("deploys", true),
                piece(" writes it down …", false),
            ],
            tags: self.tags(index),
            updated: time(9, 9),
        }
    }

    fn side(&self, version: i64, title: usize, tags: usize) -> Side {
        Side { entry: self.entry(version), title: self.name(title).title, tags: self.tags(tags) }
    }

    fn errors(&self) -> Vec<FieldError> {
        let error = |field, message| FieldError { field, message };
        vec![
            error("title".into(), self.text("must not be blank").into()),
            error("slug".into(), self.text("is already taken").into()),
            error("author".into(), self.text("may have at most 200 characters").into()),
        ]
    }

    fn revision(&self, version: i64, errors: Vec<FieldError>) -> Revision {
        Revision {
            page: self.name(0),
            current: 7,
            title: self.text("How we deployed"),
            text: self.rendered(),
            tags: self.tags(3),
            entry: self.entry(version),
            revert: Revert { comment: self.text("Go back"), author: self.text("Ada"), errors },
        }
    }

    /// Every page, by a name for it.
    pub fn pages(&self) -> Vec<(String, String)> {
        let mut pages = self.pages_for(&Viewer::default());
        let administrator = Viewer { name: Some(self.text(PEOPLE[0])), administers: true, gains_by_signing_in: true };
        let signed_in = self.pages_for(&administrator);
        pages.extend(signed_in.into_iter().map(|(name, page)| (format!("{name}-signed-in"), page)));
        pages
    }

    fn account(&self, made: bool) -> Account {
        let session = |id, current| Session {
            id,
            address: self.text("192.0.2.7"),
            agent: self.text("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
            created_time: time(20, 4),
            used_time: time(22, 4),
            current,
        };
        let token = |id, scope, used_time| Token {
            id,
            name: self.text("nightly import"),
            scope,
            created_time: time(20, 4),
            expires_time: time(28, 4),
            used_time,
        };
        let wrong = FieldError { field: "current".into(), message: "is not your password".into() };
        Account {
            username: self.text("ada"),
            user_id: 7,
            role: Role::Editor,
            sessions: vec![session(2, true), session(1, false)],
            tokens: vec![token(2, Scope::Write, Some(time(22, 4))), token(1, Scope::Read, None)],
            made: made.then(|| (self.text("nightly import"), "wasiki_2_secret".to_owned())),
            wanted: WantedToken { name: self.text("import"), ..WantedToken::default() },
            changed: made,
            password_is_given: !made,
            errors: if made { Vec::new() } else { vec![wrong] },
        }
    }

    fn account_of(&self, member: Option<Member>) -> account::Person {
        account::Person {
            has_account: member.is_some(),
            member,
            username: self.text("ada"),
            known_as: self.text(PEOPLE[0]),
            role: Role::Reader,
            errors: vec![FieldError { field: "username".into(), message: "is already taken".into() }],
        }
    }

    fn happened(&self) -> Vec<audit::Entry> {
        let entry = |id, event: &str, actor_id: Option<i64>, post_id| audit::Entry {
            id,
            time: time(22, 4),
            event: event.to_owned(),
            actor_id,
            actor: actor_id.filter(|id| *id < 9).map(|_| self.text(PEOPLE[0])),
            address: self.text("2001:db8::7"),
            user_id: Some(4),
            user: Some(self.text(PEOPLE[1])),
            post_id,
            details: self.text(TITLES[5]),
        };
        vec![
            entry(4, "page_deleted", Some(7), Some(3)),
            entry(3, "role_changed", Some(9), None),
            entry(2, "sign_in_failed", None, None),
            entry(1, "sign_in", Some(4), None),
        ]
    }

    fn pages_for(&self, viewer: &Viewer) -> Vec<(String, String)> {
        let view = |view: &dyn DynTemplate| view.dyn_render_with_values(&("viewer", viewer as &dyn Any));
        let next = || Some("?cursor=abc".to_owned());
        let changes = |many| (0..many).map(|index| self.change(index)).collect::<Vec<_>>();
        let home = Home { page: Name { slug: "home".into(), title: self.text("Our wiki") }, text: self.rendered() };
        let existing = || self.edit(Target::Existing(self.name(0)));
        let missing = Target::Missing { slug: self.text("how-we-deploy") };
        let problem = Problem::invalid(self.errors()).with("x", 1);
        let side = |version, title, tags| self.side(version, title, tags);
        let pages = [
            ("front", view(&Front { home: Some(home), changes: changes(8), tags: self.counted() })),
            ("front-without-home", view(&Front { home: None, changes: changes(8), tags: self.counted() })),
            ("front-empty", view(&Front { home: None, changes: Vec::new(), tags: Vec::new() })),
            (
                "page",
                view(&Page {
                    page: self.name(0),
                    text: self.rendered(),
                    tags: self.tags(8),
                    version: 7,
                    author: self.person(1),
                    updated: time(22, 4),
                    protected: true,
                }),
            ),
            (
                "page-short",
                view(&Page {
                    page: self.name(4),
                    text: Rendered { html: "<p>Short.</p>".into(), headings: Vec::new() },
                    tags: Vec::new(),
                    version: 1,
                    author: self.person(0),
                    updated: time(1, 0),
                    protected: false,
                }),
            ),
            ("edit", view(&existing())),
            ("edit-new", view(&Edit { draft: Draft::default(), ..self.edit(Target::New) })),
            ("edit-missing", view(&self.edit(missing))),
            ("edit-preview", view(&Edit { preview: Some(self.rendered()), ..existing() })),
            ("edit-invalid", view(&Edit { errors: self.errors(), ..existing() })),
            ("edit-conflict", view(&Edit { conflict: Some(self.conflict(false)), ..existing() })),
            ("edit-combined", view(&Edit { conflict: Some(self.conflict(true)), ..existing() })),
            (
                "history",
                view(&History {
                    page: self.name(0),
                    current: 7,
                    revisions: (1..=7).rev().map(|version| self.entry(version)).collect(),
                    next: next(),
                }),
            ),
            ("revision", view(&self.revision(3, Vec::new()))),
            ("revision-current", view(&self.revision(7, Vec::new()))),
            ("revision-invalid", view(&self.revision(3, self.errors().split_off(2)))),
            (
                "compare",
                view(&Compare {
                    page: self.name(0),
                    current: 7,
                    from: Some(side(2, 1, 4)),
                    to: side(5, 0, 2),
                    difference: compare::difference(&self.text(OLDER), &self.text(NEWER)),
                }),
            ),
            (
                "compare-first",
                view(&Compare {
                    page: self.name(0),
                    current: 7,
                    from: None,
                    to: side(1, 0, 2),
                    difference: compare::difference("", &self.text(OLDER)),
                }),
            ),
            (
                "compare-same",
                view(&Compare {
                    page: self.name(2),
                    current: 7,
                    from: Some(side(3, 2, 1)),
                    to: side(7, 2, 1),
                    difference: compare::difference("", ""),
                }),
            ),
            ("backlinks", view(&Backlinks { page: self.name(0), pages: self.listed(8), next: next() })),
            ("backlinks-none", view(&Backlinks { page: self.name(5), pages: Vec::new(), next: None })),
            ("delete", view(&Delete { page: self.name(0), version: 7, backlinks: 12 })),
            ("missing", view(&Missing { page: self.name(5), similar: vec![self.name(0), self.name(2)] })),
            ("deleted", view(&Deleted { page: self.name(0), time: time(21, 4) })),
            ("pages", view(&Pages { pages: self.listed(16), sort: Sort::Title, next: next() })),
            ("pages-none", view(&Pages { pages: Vec::new(), sort: Sort::Updated, next: None })),
            ("changes", view(&Changes { changes: changes(12), next: next() })),
            ("tags", view(&Tags { tags: self.counted(), next: next() })),
            ("tag", view(&Tagged { tag: self.text("größe"), pages: self.listed(8), next: next() })),
            (
                "search",
                view(&Search {
                    query: self.text("deploy \"any day\""),
                    tag: Some(self.text("größe")),
                    results: (0..6).map(|index| self.found(index)).collect(),
                    next: next(),
                }),
            ),
            (
                "search-none",
                view(&Search {
                    query: self.text("xyzzy & <b>"),
                    tag: Some(self.text("größe")),
                    results: Vec::new(),
                    next: None,
                }),
            ),
            ("search-empty", view(&Search { query: String::new(), tag: None, results: Vec::new(), next: None })),
            ("sign-in", view(&SignIn { username: self.text("ada"), next: Some(self.text("/wiki")), refusal: None })),
            ("sign-in-refused", view(&SignIn { refusal: Some(self.text("No.")), ..SignIn::default() })),
            ("account", view(&self.account(false))),
            ("account-made", view(&self.account(true))),
            ("new-user", view(&self.account_of(None))),
            ("account-of", view(&self.account_of(Some(self.member(1))))),
            ("audit", view(&Audit { entries: self.happened(), next: next() })),
            ("audit-empty", view(&Audit { entries: Vec::new(), next: None })),
            ("problem-401", view(&Failure { status: 401, detail: "Sign in first.", errors: &[] })),
            ("users", view(&Users { users: (0..8).map(|index| self.member(index)).collect(), next: next() })),
            (
                "user",
                view(&User {
                    member: self.member(0),
                    pages: self.listed(3),
                    changes: changes(5),
                    more_pages: next(),
                    more_changes: next(),
                }),
            ),
            ("problem", view(&Failure::from(&problem))),
            ("problem-503", view(&Failure { status: 503, detail: "The database cannot be reached.", errors: &[] })),
        ];
        pages.into_iter().map(|(name, page)| (name.to_owned(), page.unwrap())).collect()
    }

    /// What is not a page: the piece of HTML for the script.
    pub fn preview(&self) -> String {
        Preview { text: self.rendered() }.render().unwrap()
    }

    /// What is not HTML.
    pub fn feed(&self) -> String {
        let entry = |index: usize| feed::Entry {
            title: self.text(TITLES[index]),
            link: self.text("https://wiki.example/wiki/page"),
            id: self.text("https://wiki.example/wiki/page/history/1"),
            updated: time(22, 4),
            author: self.text(PEOPLE[index]),
            summary: self.text(COMMENTS[index]),
        };
        let feed = Feed {
            address: self.text("https://wiki.example/feed.atom"),
            front: self.text("https://wiki.example/wiki"),
            updated: time(22, 4),
            entries: (0..4).map(entry).collect(),
        };
        feed.render().unwrap()
    }
}

fn time(day: u32, hour: u32) -> Time {
    let date = NaiveDate::from_ymd_opt(2026, 11, day).unwrap();
    date.and_hms_micro_opt(hour, 33, 10, 123_456).unwrap().into()
}
