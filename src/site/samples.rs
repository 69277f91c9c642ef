//! Every view with contents that are hard to set: long, foreign, empty, hostile.

use std::rc::Rc;

use askama::{DynTemplate, Template};
use chrono::NaiveDate;
use wiki_types::search::SnippetPart;
use wiki_types::{
    AccessEntry, AuditEntry, ChangeKind, DeletedPost, Delivery, Due, FieldError, File, Group, InboxEntry, InboxKind,
    Mail, Member, Post, PostSummary, Priority, Revision, RevisionEntry, Role, Scope, SearchResult, SeenDue, Session,
    Settings, Snippet, Space, SpaceRole, Suggestion, Tag, Task, Time, Token, TreePage, User, Watch, Webhook,
};

use crate::diff;
use crate::markdown::{self, Boxes, Note, Pictures, Rendered};
use crate::site::access_form::{AccessForm, Row};
use crate::site::account::{AccountView, MailForm, TokenForm};
use crate::site::address;
use crate::site::audit::Audit;
use crate::site::backlinks::Backlinks;
use crate::site::changes::{Changed, Changes};
use crate::site::compare::Compare;
use crate::site::delete::Delete;
use crate::site::delete_space::DeleteSpace;
use crate::site::deleted::{Deleted, DeletedPages};
use crate::site::drafts::Drafts;
use crate::site::edit::{Conflict, Edit, Fields, Target, Unsaved};
use crate::site::edit_user::EditUser;
use crate::site::feed::Feed;
use crate::site::files::{FilesView, Shown};
use crate::site::frame::Frame;
use crate::site::front::{Front, Home, Own};
use crate::site::groups::{GroupForm, GroupView, Groups};
use crate::site::history::History;
use crate::site::inbox::{Entry, InboxView};
use crate::site::missing::Missing;
use crate::site::page::{JustSaved, Merged, Page};
use crate::site::page_access::PageAccessView;
use crate::site::pages::{Pages, Sort};
use crate::site::parts::{Reason, TICKS, Viewer};
use crate::site::preview::Preview;
use crate::site::problem::ProblemView;
use crate::site::relocate::Relocate;
use crate::site::retry::{Field, Kind, Retry};
use crate::site::revision::{Revert, RevisionView};
use crate::site::search::{Limits, Search};
use crate::site::settings::SettingsView;
use crate::site::sidebar::Sidebar;
use crate::site::sign_in::SignIn;
use crate::site::space::SpaceView;
use crate::site::space_settings::SpaceSettings;
use crate::site::spaces::{SpaceForm, Spaces};
use crate::site::starred::Starred;
use crate::site::tagged::Tagged;
use crate::site::tags::Tags;
use crate::site::tasks::{TasksView, Whose};
use crate::site::tree::{Branch, Tree};
use crate::site::user::UserView;
use crate::site::users::Users;
use crate::site::watched::Watched;
use crate::site::webhooks::{WebhookForm, WebhookView, Webhooks};
use crate::store::drafts::{EditDraft, Listed, Typed};
use crate::store::links::Targets;
use crate::store::navigation::{self, Navigation};
use crate::store::pages::{PageView, Place};
use crate::store::snapshot::Snapshot;

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

    fn suggestion(&self, index: usize) -> Suggestion {
        let title = TITLES[index % TITLES.len()];
        Suggestion { slug: self.text(&wiki_types::slug::slugify(title)), title: self.text(title) }
    }

    /// An author; every fourth was deleted.
    fn author(&self, index: usize) -> Option<String> {
        (!index.is_multiple_of(4)).then(|| self.text(PEOPLE[index % PEOPLE.len()]))
    }

    fn post(&self, index: usize, tags: usize) -> Post {
        let Suggestion { slug, title } = self.suggestion(index);
        Post {
            space_id: 1,
            parent_id: None,
            post_id: index as i64,
            user_id: 1,
            title,
            slug,
            content: self.text(OLDER),
            tags: self.tags(tags),
            version: 7,
            created_time: time(1, 4),
            updated_time: time(22, 4),
            protected: false,
        }
    }

    fn view(&self, post: Post, editor: usize) -> PageView {
        PageView {
            snapshot: Snapshot::default(),
            post,
            latest: ChangeKind::Edited,
            editor_id: Some(editor as i64),
            editor: self.author(editor),
            targets: Targets::new(),
            watch: Watch { watching: editor.is_multiple_of(2), below: editor.is_multiple_of(4) },
            has_children: true,
            is_administered: editor.is_multiple_of(2),
        }
    }

    fn tree_page(&self, index: usize) -> TreePage {
        let Suggestion { slug, title } = self.suggestion(index);
        TreePage { post_id: index as i64, title, slug, children: (index as i64 % 3) * 700 }
    }

    fn space(&self, id: i64) -> Space {
        Space {
            space_id: id,
            slug: self.text("people"),
            name: self.text("People"),
            description: self.text("Holidays, hiring and salaries"),
            icon: self.text("🌴"),
            pages: 12,
            role: SpaceRole::Write,
            version: 1,
            created_time: time(1, 4),
        }
    }

    fn tree(&self, many: usize) -> Tree {
        let branch = |index: usize| {
            let page = self.tree_page(index);
            let below =
                if page.children > 0 { (0..4).map(|index| self.tree_page(index)).collect() } else { Vec::new() };
            Branch { page, below }
        };
        let next = (many > 0).then(|| "/wiki/-/pages?view=tree&cursor=00".to_owned());
        Tree {
            spaces: vec![self.space(1), self.space(2)],
            space: self.space(2),
            pages: (0..many).map(branch).collect(),
            next,
        }
    }

    fn relocate(&self, errors: Vec<FieldError>) -> Relocate {
        Relocate {
            page: self.post(1, 0),
            above: vec![self.tree_page(2), self.tree_page(3)],
            wanted: self.text("deploy"),
            found: vec![self.suggestion(0), self.suggestion(4)],
            spaces: vec![self.space(1), self.space(2)],
            siblings: (0..4).map(|index| self.tree_page(index)).collect(),
            errors,
        }
    }

    fn place(&self, index: usize) -> Place {
        if index.is_multiple_of(3) {
            return Place::default();
        }
        Place {
            space: Some((self.text("people"), self.text("People"))),
            above: vec![self.suggestion(1), self.suggestion(2)],
            below: vec![self.suggestion(3), self.suggestion(4), self.suggestion(5)],
            previous: Some(self.suggestion(0)),
            next: Some(self.suggestion(2)),
        }
    }

    fn tags(&self, many: usize) -> Vec<String> {
        let tags =
            ["operations", "größe", "日本", "c++", "how-to", "العربية", "a-tag-of-some-considerable-length", "x"];
        tags.iter().cycle().take(many).map(|tag| self.text(tag)).collect()
    }

    fn rendered(&self) -> Rendered {
        let boxes = Boxes {
            form: Some(TICKS),
            notes: [(1, Note { name: Some(self.text("فاطمة")), day: "3 Dec 2026".to_owned() })].into(),
            times: [(0, self.text("5 December 2026, 03:00 Pacific/Kiritimati"))].into(),
            sections: Some("/wiki/sample/edit".to_owned()),
        };
        let look_up = |name: &str| (name == "on-call").then(|| name.to_owned());
        let mut page = markdown::render_with(include_str!("sample.md"), "", look_up, &boxes, &Pictures::new());
        for heading in &mut page.headings {
            heading.text = self.text(&heading.text);
        }
        page
    }

    fn change(&self, index: usize) -> RevisionEntry {
        let Suggestion { slug, title } = self.suggestion(index);
        RevisionEntry {
            post_id: index as i64,
            version: [3, 1, 12, 240][index % 4],
            kind: ChangeKind::ALL[index % 5],
            user_id: Some(index as i64).filter(|_| index != 3),
            author: self.author(index),
            title,
            comment: self.text(COMMENTS[index % COMMENTS.len()]),
            size: 1200,
            delta: [120, 2048, -35, 0][index % 4],
            created_time: time(22 - index as u32 / 3, index as u32),
            former_title: (index % 5 == 2).then(|| self.text("What it was called")),
            page: slug,
            is_page_deleted: index % 5 == 3,
        }
    }

    fn entry(&self, version: i64) -> RevisionEntry {
        let index = version as usize;
        RevisionEntry {
            version,
            title: self.text("How we deployed"),
            size: 1200 + version,
            delta: [120, -7, 0][index % 3],
            created_time: time(version as u32, 10),
            ..self.change(index)
        }
    }

    fn listed(&self, many: usize) -> Vec<PostSummary> {
        let summary = |index: usize| {
            let post = self.post(index, index % 5);
            PostSummary {
                space_id: 1,
                parent_id: None,
                post_id: post.post_id,
                user_id: post.user_id,
                title: post.title,
                slug: post.slug,
                tags: post.tags,
                version: post.version,
                created_time: post.created_time,
                updated_time: time(20, index as u32),
                size: 1200,
            }
        };
        (0..many).map(summary).collect()
    }

    fn counted(&self) -> Vec<Tag> {
        let tags = self.tags(8).into_iter().enumerate();
        tags.map(|(index, name)| Tag { name, posts: 3_i64.pow(8 - index as u32) }).collect()
    }

    fn user(&self, index: usize) -> User {
        User {
            id: index as i64,
            username: (index.is_multiple_of(2)).then(|| self.text("ada.lovelace")),
            name: self.text(PEOPLE[index % 4]),
            email: None,
            created_time: time(3, 4),
            role: None,
            time_zone: None,
        }
    }

    fn fields(&self, version: Option<i64>) -> Fields {
        Fields {
            title: self.text(TITLES[0]),
            slug: self.text("how-we-deploy"),
            content: self.text(NEWER),
            tags: self.text("operations, how-to"),
            comment: self.text("Say on which days"),
            author: self.text("Ada Lovelace"),
            page: version.map(|_| 4),
            version,
            parent: None,
            space: None,
            before: String::new(),
            after: String::new(),
            section: String::new(),
            from_template: false,
            key: "k".to_owned(),
            continues: vec![self.text("an-earlier-key")],
        }
    }

    fn edit(&self, target: Target) -> Edit {
        let version = matches!(target, Target::Existing(_)).then_some(7);
        let is_edit = version.is_some();
        let unsaved = Unsaved {
            draft: is_edit.then(|| self.draft(Some(4))),
            new_pages: if is_edit { 0 } else { 2 },
            others: if is_edit { vec![self.text(PEOPLE[1])] } else { Vec::new() },
        };
        let fields = self.fields(version);
        Edit { unsaved, ..Edit::new(target, fields) }
    }

    fn draft(&self, post_id: Option<i64>) -> EditDraft {
        EditDraft { id: 3, updated_time: time(22, 4), typed: self.typed(post_id) }
    }

    fn typed(&self, post_id: Option<i64>) -> Typed {
        Typed {
            post_id,
            version: post_id.map(|_| 6),
            wanted_slug: String::new(),
            parent_id: None,
            space_id: None,
            from_template: false,
            key: "k".to_owned(),
            title: self.text(TITLES[0]),
            slug: String::new(),
            content: self.text(NEWER),
            tags: self.text("operations"),
            comment: String::new(),
        }
    }

    fn reason(&self) -> Reason {
        Reason { detail: "You were signed out.".to_owned(), signs_in: true, username: self.text("ada") }
    }

    fn conflict(&self) -> Conflict {
        Conflict {
            current: Post { title: self.text("How we deploy"), version: 8, ..self.post(0, 1) },
            latest: self.entry(1),
            difference: diff::difference(&self.text(OLDER), &self.text(NEWER)),
        }
    }

    fn found(&self, index: usize) -> SearchResult {
        let part = |text, matched| SnippetPart { text: self.text(text), matched };
        let Suggestion { slug, title } = self.suggestion(index);
        SearchResult {
            post_id: index as i64,
            user_id: 1,
            title,
            slug,
            tags: self.tags(index),
            updated_time: time(9, 9),
            snippet: Snippet(vec![
                part("… which is why we ", false),
                part("deploy", true),
                part(" on any day but Friday, and never <after> lunch. Who ", false),
                part("deploys", true),
                part(" writes it down …", false),
            ]),
            rank: 0.5,
        }
    }

    fn revision(&self, version: i64, title: usize, tags: usize) -> Revision {
        let Suggestion { slug, title } = self.suggestion(title);
        let entry = RevisionEntry { title, ..self.entry(version) };
        Revision { entry, slug, content: self.text(OLDER), tags: self.tags(tags) }
    }

    fn files(&self, errors: Vec<FieldError>) -> FilesView {
        let file = |id, name: &str, content_type: &str, width: Option<i64>| File {
            id,
            post_id: Some(1),
            user_id: Some(1),
            name: self.text(name),
            content_type: self.text(content_type),
            size: 48_213 * id,
            width,
            height: width.map(|width| width / 2),
            sha256: "0".repeat(64),
            url: self.text(&format!("/files/{id}/a")),
            created_time: time(22, 4),
        };
        let files = [
            file(3, "racks.png", "image/png", Some(1280)),
            file(2, "Prüfbericht 2026, zweite Fassung nach der Besprechung.pdf", "application/pdf", None),
            file(1, "צילום מסך.jpg", "image/jpeg", Some(400)),
        ];
        let files = files.into_iter().map(Shown::new).collect();
        FilesView {
            page: self.post(0, 0),
            files,
            limit: "25 MB".to_owned(),
            errors,
            next: Some("?cursor=abc".to_owned()),
        }
    }

    fn errors(&self) -> Vec<FieldError> {
        vec![
            FieldError::new("title", self.text("must not be blank")),
            FieldError::new("slug", self.text("is already taken")),
            FieldError::new("author", self.text("may have at most 200 characters")),
        ]
    }

    fn revision_view(&self, version: i64, errors: Vec<FieldError>) -> RevisionView {
        RevisionView {
            page: self.post(0, 0),
            revision: self.revision(version, 0, 3),
            text: self.rendered(),
            revert: Revert { comment: self.text("Go back"), author: self.text("Ada"), errors },
        }
    }

    /// Every page, by a name for it.
    pub fn pages(&self) -> Vec<(String, String)> {
        let here = || Some(self.text("/wiki/how-we-deploy"));
        let mut pages = self.pages_for(&Viewer { reads: true, writes: true, here: here(), ..Viewer::default() });
        let administrator = Viewer {
            account: Some(1),
            name: Some(self.text(PEOPLE[0])),
            unread: 120,
            administers: true,
            administers_page: true,
            gains_by_signing_in: true,
            reads: true,
            writes: true,
            here: here(),
        };
        let reader = Viewer { reads: true, gains_by_signing_in: true, here: here(), ..Viewer::default() };
        pages.extend(self.pages_for(&reader).into_iter().map(|(name, page)| (format!("{name}-reader"), page)));
        let signed_in = self.pages_for(&administrator);
        pages.extend(signed_in.into_iter().map(|(name, page)| (format!("{name}-signed-in"), page)));
        pages
    }

    fn account(&self, made: bool) -> AccountView {
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
        AccountView {
            account: wiki_types::Account {
                user_id: 7,
                username: self.text("ada"),
                name: self.text(PEOPLE[0]),
                role: Role::Editor,
                scope: None,
                password_is_given: !made,
                time_zone: Some(self.text("Europe/Berlin")),
            },
            sessions: vec![session(2, true), session(1, false)],
            tokens: vec![token(2, Scope::Write, Some(time(22, 4))), token(1, Scope::Read, None)],
            made: made.then(|| (self.text("nightly import"), "wasiki_2_secret".to_owned())),
            new_token: TokenForm { name: self.text("import"), ..TokenForm::default() },
            mail: MailForm { email: self.text("ada@example.org"), mail: Mail::Daily },
            sends_mail: !made,
            zone: self.text("Europe/Berlin"),
            zone_of_wiki: self.text("UTC"),
            changed: made,
            key: self.text("a-key"),
            errors: if made { Vec::new() } else { vec![FieldError::new("current", "is not your password")] },
        }
    }

    fn edit_user(&self, user: Option<User>) -> EditUser {
        EditUser {
            has_account: user.is_some(),
            key: self.text("a-key"),
            user,
            username: self.text("ada"),
            known_as: self.text(PEOPLE[0]),
            role: Role::Reader,
            errors: vec![FieldError::new("username", "is already taken")],
        }
    }

    fn tasks(&self, whose: Whose, done: bool) -> TasksView {
        let task = |index: usize| Task {
            id: index as i64,
            post_id: 1,
            page_title: self.text(TITLES[index % TITLES.len()]),
            page_slug: self.suggestion(index).slug,
            line: 3,
            text: self.text(TITLES[(index + 1) % TITLES.len()]),
            done,
            due: [Due::written("2026-11-20"), Due::written("2026-12-04T15:00"), None][index % 3],
            scheduled: None,
            assignee: index.is_multiple_of(2).then(|| self.text("ada")),
            assignee_id: Some(1),
            priority: [None, Some(Priority::High)][index % 2],
            repeat: (index == 2).then(|| "3mo".to_owned()),
            remind: None,
            done_time: done.then(|| time(22, 4)),
            done_by: Some(index as i64).filter(|_| index != 3),
            done_by_name: self.author(index),
            version: 1,
            created_time: time(1, 4),
            seen: None,
        };
        let now = "2026-12-02T12:00:00Z".parse().unwrap();
        let seen = |task: Task| Task { seen: task.due.map(|due| SeenDue::in_utc(due, now)), ..task };
        let groups = TasksView::groups((0..8).map(task).map(seen).collect());
        let zone = Some("Europe/Berlin".to_owned());
        let address = || "/wiki/-/tasks".to_owned();
        TasksView { whose, done, groups, zone, here: address(), other: address(), next: Some("?cursor=abc".to_owned()) }
    }

    fn inbox(&self, only_unread: bool) -> InboxView {
        let entry = |index: usize| {
            let kind = InboxKind::ALL[index % InboxKind::ALL.len()];
            let is_of_task = !matches!(kind, InboxKind::Mention | InboxKind::Changed);
            let is_of_person = is_of_task && kind != InboxKind::Assigned;
            let entry = InboxEntry {
                id: 100 - index as i64,
                kind,
                time: time(22 - index as u32 / 4, 4),
                read_time: (index > 8).then(|| time(22, 5)),
                post_id: 1,
                page_title: self.text(TITLES[index % TITLES.len()]),
                page_slug: self.suggestion(index).slug,
                page_deleted: index == 11,
                user_id: Some(index as i64).filter(|_| !is_of_person && index != 7),
                user_name: self.author(index),
                version: Some(7).filter(|_| !is_of_task),
                first_version: Some(5).filter(|_| !is_of_task),
                changes: if index == 5 { 3 } else { 1 },
                comment: (!is_of_task).then(|| self.text(COMMENTS[0])),
                task_id: is_of_task.then_some(1),
                task_text: (is_of_task && index != 8).then(|| self.text(TITLES[(index + 1) % TITLES.len()])),
                due: is_of_task.then(|| Due::written("2026-11-20")).flatten(),
                change: (!is_of_task).then_some(ChangeKind::ALL[index % 5]),
                is_done: index == 2,
                seen: None,
            };
            let now = "2026-12-02T12:00:00Z".parse().unwrap();
            let seen = entry.due.map(|due| SeenDue::in_utc(due, now));
            Entry::new(InboxEntry { seen, ..entry })
        };
        let entries = (0..12).map(entry).collect();
        let here = address::INBOX;
        InboxView { entries, unread: 9, only_unread, here, next: Some("?cursor=abc".to_owned()) }
    }

    fn happened(&self) -> Vec<AuditEntry> {
        let entry = |id, event: &str, actor_id: Option<i64>, post_id| AuditEntry {
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
            page: post_id.map(|_| self.text("a-page")),
            is_page_deleted: event == "page_deleted",
        };
        vec![
            entry(4, "page_deleted", Some(7), Some(3)),
            entry(3, "role_changed", Some(9), None),
            entry(2, "sign_in_failed", None, None),
            entry(1, "sign_in", Some(4), None),
        ]
    }

    fn webhook(&self, index: i64) -> Webhook {
        let turned_off = index % 2 == 1;
        Webhook {
            id: index,
            url: self.text("https://hooks.example.org/a/rather/long/path/that/is/a/password/0123456789abcdef"),
            types: if turned_off {
                vec![self.text("wasiki.page"), self.text("wasiki.task.completed")]
            } else {
                Vec::new()
            },
            active: !turned_off,
            disabled_reason: turned_off.then(|| self.text("The receiver answered 410 Gone.")),
            failing_since: Some(time(3, 4)),
            former_secret_until: Some(time(4, 4)),
            created_by: Some(1),
            created_time: time(1, 2),
        }
    }

    fn webhooks(&self, errors: Vec<FieldError>) -> Webhooks {
        let form = WebhookForm { url: self.text("https://example.org"), types: self.text("wasiki.page") };
        Webhooks { webhooks: (0..4).map(|index| self.webhook(index)).collect(), form, errors }
    }

    fn webhook_view(&self, active: bool) -> WebhookView {
        let delivery = |id: i64, state: &str, status: Option<i64>| Delivery {
            id,
            event_id: self.text("1f0a1c5e-6d3f-4c5a-9b1e-1d2c3b4a5f60"),
            kind: self.text("wasiki.page.edited"),
            state: state.to_owned(),
            attempts: id - 1,
            due_time: Some(time(5, 6)).filter(|_| state == "waiting"),
            attempted_time: Some(time(5, 5)).filter(|_| id > 1),
            status,
            error: Some(self.text("the connection was refused")).filter(|_| status.is_none()),
            response: status.map(|_| self.text("Internal Server Error")),
            created_time: time(5, 4),
        };
        WebhookView {
            webhook: self.webhook(i64::from(!active)),
            secret: active.then(|| self.text("whsec_AAAA")),
            form: WebhookForm { url: self.text("https://example.org"), types: String::new() },
            deliveries: vec![
                delivery(1, "waiting", None),
                delivery(2, "waiting", None),
                delivery(3, "delivered", Some(204)),
                delivery(11, "failed", Some(500)),
            ],
            next: Some("?cursor=abc".to_owned()),
            errors: Vec::new(),
        }
    }

    fn one_space(&self, index: usize) -> Space {
        Space {
            space_id: index as i64 + 1,
            slug: self.text(["general", "größe", "日本"][index % 3]),
            name: self.text(["General", "Donaudampfschifffahrtselektrizitätenhauptbetriebswerk", "العربية"][index % 3]),
            description: if index == 0 { String::new() } else { self.text(TITLES[7]) },
            icon: if index == 1 { String::new() } else { self.text("🧑‍🤝‍🧑") },
            pages: [1_200, 1, 0][index % 3],
            role: if index == 0 { SpaceRole::Read } else { SpaceRole::Administer },
            version: 3,
            created_time: time(1, 2),
        }
    }

    fn spaces(&self, errors: Vec<FieldError>) -> Spaces {
        let form = SpaceForm { name: self.text("New"), ..SpaceForm::default() };
        Spaces { spaces: (0..3).map(|index| self.one_space(index)).collect(), form, everybody: SpaceRole::Read, errors }
    }

    fn space_view(&self, index: usize) -> SpaceView {
        let page = |index: usize| {
            let Suggestion { slug, title } = self.suggestion(index);
            TreePage { post_id: index as i64, title, slug, children: index as i64 % 3 }
        };
        SpaceView {
            space: self.one_space(index),
            pages: (0..6).map(page).collect(),
            next: Some("?cursor=abc".to_owned()),
        }
    }

    fn group(&self, index: usize) -> Group {
        Group {
            group_id: index as i64,
            name: self.text(TITLES[index % TITLES.len()]),
            description: if index == 1 { String::new() } else { self.text(TITLES[7]) },
            members: index as i64,
            created_time: time(2, 3),
        }
    }

    fn groups(&self, errors: Vec<FieldError>) -> Groups {
        let form = GroupForm { name: self.text("New"), description: String::new() };
        Groups { groups: (0..4).map(|index| self.group(index)).collect(), form, errors }
    }

    fn group_view(&self, errors: Vec<FieldError>) -> GroupView {
        let member = |index: usize| Member { user_id: index as i64, name: self.text(PEOPLE[index]) };
        GroupView {
            group: self.group(3),
            members: (0..4).map(member).collect(),
            form: GroupForm { name: self.text("Group"), description: self.text("On call") },
            person: self.text("ada"),
            errors,
        }
    }

    fn access(&self) -> AccessForm {
        let entry = |index: usize| AccessEntry {
            user_id: Some(index as i64).filter(|_| index < 4),
            group_id: Some(index as i64).filter(|_| index >= 4),
            name: self.text(if index < 4 { PEOPLE[index] } else { TITLES[index] }),
            role: SpaceRole::ALL[index % 4],
        };
        AccessForm {
            everybody: SpaceRole::Read,
            rows: (0..6).map(|index| Row::from(entry(index))).collect(),
            person: self.text("ada"),
            person_role: SpaceRole::Write,
            group: Some(1),
            group_role: SpaceRole::Administer,
            groups: (0..3).map(|index| self.group(index)).collect(),
            has_administrators: true,
        }
    }

    /// What is wrong with every field about access.
    fn access_errors(&self) -> Vec<FieldError> {
        let fields = ["everybody", "entries", "user-1", "group-4", "person", "person_role", "group", "group_role"];
        fields.map(|field| FieldError::new(field, self.text("Choose another"))).into()
    }

    fn space_settings(&self, errors: Vec<FieldError>) -> SpaceSettings {
        let space = self.one_space(1);
        SpaceSettings {
            form: SpaceForm::from(&space),
            space,
            access: Some(self.access()),
            errors,
            is_stale: false,
            saved: false,
        }
    }

    fn page_access(&self, is_own: bool, errors: Vec<FieldError>) -> PageAccessView {
        PageAccessView {
            page: self.post(2, 0),
            space: self.text("People"),
            parent: Some(self.text(TITLES[1])).filter(|_| is_own),
            is_own,
            form: self.access(),
            errors,
            saved: is_own,
        }
    }

    /// What stands around a view: a wiki with several spaces for whoever is signed in, with one for others.
    fn frame(&self, viewer: &Viewer) -> Frame {
        let page = |id: i64, parent| navigation::Page {
            id,
            parent,
            title: self.text(TITLES[usize::try_from(id).unwrap() % TITLES.len()]),
            slug: format!("page-{id}"),
            has_children: id < 5,
            ..navigation::Page::default()
        };
        let space = |id: i64| navigation::Space {
            id,
            slug: self.text("people"),
            name: self.text("People"),
            icon: if id == 1 { String::new() } else { "📘".to_owned() },
        };
        let is_known = viewer.account.is_some();
        let (settings, sidebar) = Sidebar::new(Navigation {
            settings: Settings {
                name: self.text("Handbook"),
                mark: if is_known { self.text("W") } else { String::new() },
                footer: self.text("Ask the workshop"),
                ..Settings::default()
            },
            spaces: if is_known { vec![space(1), space(2)] } else { vec![space(1)] },
            open_space: Some(1),
            page: Some(3),
            pages: [page(1, None), page(2, None), page(3, Some(2)), page(5, Some(3))].map(Rc::new).into(),
            open: vec![2, 3],
            stars: if is_known { vec![self.suggestion(0), self.suggestion(1)] } else { Vec::new() },
            is_starred: is_known,
            is_administered: true,
        });
        Frame { viewer: viewer.clone(), settings, sidebar }
    }

    fn settings_view(&self, errors: Vec<FieldError>) -> SettingsView {
        SettingsView {
            is_stale: errors.is_empty(),
            errors,
            saved: true,
            ..Settings {
                name: self.text("Handbook"),
                mark: self.text("W"),
                footer: self.text("Ask"),
                ..Settings::default()
            }
            .into()
        }
    }

    fn pages_for(&self, viewer: &Viewer) -> Vec<(String, String)> {
        let frame = self.frame(viewer);
        let values = frame.values();
        let view = |view: &dyn DynTemplate| view.dyn_render_with_values(&values);
        let next = || Some("?cursor=abc".to_owned());
        let changes = |many| (0..many).map(|index| self.change(index)).collect::<Vec<_>>();
        let home_page = Post { slug: "home".into(), title: self.text("Our wiki"), ..self.post(0, 0) };
        let home = Home { page: self.view(home_page, 1), text: self.rendered().into() };
        let listed = |title: &str, page: Option<(&str, &str)>| Listed {
            id: 7,
            updated_time: time(3, 0),
            title: self.text(title),
            wanted_slug: String::new(),
            page: page.map(|(title, slug)| (self.text(title), slug.to_owned())),
        };
        let front = |home, changes| Front {
            name: self.text("Handbook"),
            home,
            spaces: vec![self.one_space(0), self.one_space(1)],
            changed: Changed::pages(changes),
            is_of_this_week: true,
            own: Own {
                drafts: vec![listed("", Some((TITLES[0], "deploy"))), listed("Certificates", None)],
                tasks: self.tasks(Whose::Mine, false).groups.into_iter().flat_map(|group| group.tasks).collect(),
                unwritten: vec![(self.text("Parental leave"), "parental-leave".to_owned(), 2)],
            },
        };
        let existing = || self.edit(Target::Existing(Box::new(self.post(0, 2))));
        let missing = Target::Missing { slug: self.text("how-we-deploy") };
        let errors = self.errors();
        let problem = |status, detail, errors| ProblemView { status, detail, errors };
        let short = Post { version: 1, updated_time: time(1, 0), ..self.post(4, 0) };
        let deleted = |index| {
            let Suggestion { slug, title } = self.suggestion(index);
            DeletedPost {
                post_id: index as i64,
                title,
                slug,
                version: 8,
                deleted_time: time(21, 4),
                deleted_by: Some(index as i64).filter(|_| index != 3),
                deleted_by_name: self.author(index),
                comment: self.text(COMMENTS[index % COMMENTS.len()]),
                protected: index == 1,
            }
        };
        let delete = |errors, seen| Delete {
            page: self.post(0, 0),
            backlinks: 12,
            below: 3,
            deletes_below: false,
            reason: self.text("Out of date"),
            author: self.text("Ada"),
            errors,
            seen,
        };
        let search = |query: &str, tag: Option<&str>| Search {
            query: self.text(query),
            tag: tag.map(|tag| self.text(tag)),
            ..Search::default()
        };
        let pages = [
            ("front", view(&front(Some(home), changes(8)))),
            ("front-without-home", view(&front(None, changes(8)))),
            ("front-empty", view(&Front { own: Own::default(), spaces: Vec::new(), ..front(None, Vec::new()) })),
            (
                "page",
                view(&Page {
                    view: self.view(Post { protected: true, ..self.post(0, 8) }, 1),
                    place: self.place(1),
                    text: self.rendered().into(),
                    saved: None,
                }),
            ),
            (
                "page-short",
                view(&Page {
                    view: self.view(short, 0),
                    place: self.place(0),
                    text: Rendered { html: "<p>Short.</p>".into(), ..Rendered::default() }.into(),
                    saved: Some(JustSaved {
                        version: 2,
                        merged: Some(Merged { version: 1, author: Some(self.text("Ada")) }),
                    }),
                }),
            ),
            ("edit", view(&existing())),
            (
                "edit-new",
                view(&Edit {
                    fields: Fields { from_template: true, ..Fields::default() },
                    templates: self.listed(3),
                    ..self.edit(Target::New)
                }),
            ),
            (
                "edit-section",
                view(&Edit {
                    fields: Fields {
                        before: self.text("Above.\n\n"),
                        after: self.text("\n\n## Below"),
                        section: self.text("section-deploying"),
                        ..self.fields(Some(7))
                    },
                    ..existing()
                }),
            ),
            ("edit-missing", view(&self.edit(missing))),
            ("edit-preview", view(&Edit { preview: Some(self.rendered()), ..existing() })),
            ("edit-invalid", view(&Edit { errors: self.errors(), ..existing() })),
            ("edit-same-title", view(&Edit { same_title: Some(self.suggestion(0)), ..existing() })),
            ("edit-conflict", view(&Edit { conflict: Some(self.conflict()), ..existing() })),
            ("edit-again", view(&Edit { reason: Some(self.reason()), ..existing() })),
            (
                "retry",
                view(&Retry {
                    title: "Not signed in",
                    reason: self.reason(),
                    action: "/wiki/-/users/new".to_owned(),
                    fields: vec![
                        Field { name: "username".to_owned(), value: self.text("ada"), kind: Kind::Line },
                        Field { name: "password".to_owned(), value: String::new(), kind: Kind::Secret },
                        Field { name: "version".to_owned(), value: self.text("7"), kind: Kind::Hidden },
                    ],
                    is_typed: true,
                }),
            ),
            (
                "history",
                view(&History {
                    page: self.post(0, 0),
                    revisions: (1..=7).rev().map(|version| self.entry(version)).collect(),
                    next: next(),
                }),
            ),
            ("revision", view(&self.revision_view(3, Vec::new()))),
            ("revision-current", view(&self.revision_view(7, Vec::new()))),
            ("revision-invalid", view(&self.revision_view(3, self.errors().split_off(2)))),
            (
                "compare",
                view(&Compare {
                    page: self.post(0, 0),
                    from: Some(self.revision(2, 1, 4)),
                    to: self.revision(5, 0, 2),
                    difference: diff::difference(&self.text(OLDER), &self.text(NEWER)),
                }),
            ),
            (
                "compare-first",
                view(&Compare {
                    page: self.post(0, 0),
                    from: None,
                    to: self.revision(1, 0, 2),
                    difference: diff::difference("", &self.text(OLDER)),
                }),
            ),
            (
                "compare-same",
                view(&Compare {
                    page: self.post(2, 0),
                    from: Some(self.revision(3, 2, 1)),
                    to: self.revision(7, 2, 1),
                    difference: diff::difference("", ""),
                }),
            ),
            ("files", view(&self.files(Vec::new()))),
            ("files-invalid", view(&self.files(vec![FieldError::new("file", self.text("The file is empty."))]))),
            ("files-none", view(&FilesView { files: Vec::new(), next: None, ..self.files(Vec::new()) })),
            ("edit-added", view(&Edit { added: Some(self.text("racks.png")), ..existing() })),
            ("backlinks", view(&Backlinks { page: self.post(0, 0), pages: self.listed(8), next: next() })),
            ("backlinks-none", view(&Backlinks { page: self.post(5, 0), pages: Vec::new(), next: None })),
            ("delete", view(&delete(Vec::new(), None))),
            ("delete-invalid", view(&delete(vec![FieldError::new("reason", self.text("is too long"))], None))),
            ("move", view(&self.relocate(Vec::new()))),
            ("move-invalid", view(&self.relocate(vec![FieldError::new("to", "Choose where to move the page.")]))),
            ("tree", view(&self.tree(5))),
            ("tree-none", view(&self.tree(0))),
            ("delete-stale", view(&delete(Vec::new(), Some(6)))),
            (
                "missing",
                view(&Missing {
                    page: self.suggestion(5),
                    similar: vec![self.suggestion(0), self.suggestion(2)],
                    space: Some(2),
                }),
            ),
            ("deleted", view(&Deleted { page: deleted(0) })),
            ("deleted-pages", view(&DeletedPages { pages: (0..5).map(deleted).collect(), next: next() })),
            ("deleted-pages-none", view(&DeletedPages { pages: Vec::new(), next: None })),
            ("pages", view(&Pages { pages: self.listed(16), sort: Sort::Title, next: next() })),
            ("pages-none", view(&Pages { pages: Vec::new(), sort: Sort::Updated, next: None })),
            (
                "changes",
                view(&Changes {
                    days: vec![("22 November 2026".to_owned(), Changed::pages(changes(12)))],
                    next: next(),
                }),
            ),
            ("tags", view(&Tags { tags: self.counted(), next: next() })),
            ("tag", view(&Tagged { tag: self.text("größe"), pages: self.listed(8), next: next() })),
            (
                "search",
                view(&Search {
                    results: (0..6).map(|index| self.found(index)).collect(),
                    total: 512,
                    limits: Limits { author: self.text("Ada"), since: "2026-01-31".into(), until: String::new() },
                    next: next(),
                    ..search("deploy \"any day\"", Some("größe"))
                }),
            ),
            ("search-none", view(&search("xyzzy & <b>", Some("größe")))),
            ("search-empty", view(&Search::default())),
            ("search-filtered", view(&Search { tag: Some(self.text("größe")), ..Search::default() })),
            (
                "search-invalid",
                view(&Search {
                    errors: vec![FieldError::new("since", self.text("must be a day"))],
                    ..Search::default()
                }),
            ),
            ("sign-in", view(&SignIn { username: self.text("ada"), next: Some(self.text("/wiki")), refusal: None })),
            ("sign-in-refused", view(&SignIn { refusal: Some(self.text("No.")), ..SignIn::default() })),
            ("account", view(&self.account(false))),
            ("account-made", view(&self.account(true))),
            ("new-user", view(&self.edit_user(None))),
            ("account-of", view(&self.edit_user(Some(self.user(1))))),
            (
                "drafts",
                view(&Drafts { drafts: vec![listed(TITLES[1], Some((TITLES[0], "deploy"))), listed("", None)] }),
            ),
            ("drafts-empty", view(&Drafts { drafts: Vec::new() })),
            ("tasks", view(&self.tasks(Whose::Mine, false))),
            ("tasks-of-page", view(&self.tasks(Whose::Page(1, self.text(TITLES[2]), "a".to_owned()), true))),
            (
                "tasks-empty",
                view(&TasksView { groups: Vec::new(), ..self.tasks(Whose::Tag(self.text("größe")), false) }),
            ),
            ("inbox", view(&self.inbox(false))),
            ("inbox-empty", view(&InboxView { entries: Vec::new(), unread: 0, ..self.inbox(true) })),
            ("watched", view(&Watched { pages: self.listed(3), below: vec![1], next: next() })),
            ("watched-empty", view(&Watched { pages: Vec::new(), below: Vec::new(), next: None })),
            ("starred", view(&Starred { pages: vec![self.suggestion(0), self.suggestion(1)] })),
            ("starred-empty", view(&Starred { pages: Vec::new() })),
            ("settings", view(&self.settings_view(Vec::new()))),
            ("settings-invalid", view(&self.settings_view(vec![FieldError::new("wiki_name", self.text("is wrong"))]))),
            ("audit", view(&Audit { entries: self.happened(), next: next() })),
            ("audit-empty", view(&Audit { entries: Vec::new(), next: None })),
            ("webhooks", view(&self.webhooks(Vec::new()))),
            ("webhooks-invalid", view(&self.webhooks(vec![FieldError::new("url", self.text("is no address"))]))),
            ("webhooks-none", view(&Webhooks { webhooks: Vec::new(), ..self.webhooks(Vec::new()) })),
            ("webhook", view(&self.webhook_view(true))),
            ("webhook-off", view(&self.webhook_view(false))),
            ("spaces", view(&self.spaces(Vec::new()))),
            (
                "spaces-invalid",
                view(&self.spaces(vec![
                    FieldError::new("space_slug", "is already taken"),
                    FieldError::new("everybody", self.text("must be one of")),
                ])),
            ),
            ("spaces-none", view(&Spaces { spaces: Vec::new(), ..self.spaces(Vec::new()) })),
            ("space", view(&self.space_view(1))),
            ("space-read", view(&self.space_view(0))),
            ("space-empty", view(&SpaceView { pages: Vec::new(), next: None, ..self.space_view(2) })),
            ("space-settings", view(&SpaceSettings { saved: true, ..self.space_settings(Vec::new()) })),
            ("space-settings-invalid", view(&self.space_settings(self.access_errors()))),
            (
                "space-settings-stale",
                view(&SpaceSettings { access: None, is_stale: true, ..self.space_settings(Vec::new()) }),
            ),
            ("delete-space", view(&DeleteSpace { space: self.one_space(2) })),
            ("delete-space-in-use", view(&DeleteSpace { space: self.one_space(0) })),
            ("groups", view(&self.groups(Vec::new()))),
            ("groups-none", view(&Groups { groups: Vec::new(), ..self.groups(Vec::new()) })),
            ("group", view(&self.group_view(Vec::new()))),
            (
                "group-invalid",
                view(&self.group_view(vec![
                    FieldError::new("group_name", "is already taken"),
                    FieldError::new("person", self.text("There is no such user")),
                ])),
            ),
            ("group-empty", view(&GroupView { members: Vec::new(), ..self.group_view(Vec::new()) })),
            ("page-access", view(&self.page_access(false, Vec::new()))),
            ("page-access-own", view(&self.page_access(true, Vec::new()))),
            ("page-access-invalid", view(&self.page_access(true, self.access_errors()))),
            ("users", view(&Users { users: (0..8).map(|index| self.user(index)).collect(), next: next() })),
            (
                "user",
                view(&UserView {
                    user: self.user(0),
                    pages: self.listed(3),
                    changes: changes(5),
                    more_pages: next(),
                    more_changes: next(),
                }),
            ),
            ("problem", view(&problem(422, "3 members of the request are invalid.", &errors))),
            ("problem-401", view(&problem(401, "Sign in to continue.", &[]))),
            (
                "problem-503",
                view(&problem(503, "The wiki is temporarily unavailable. Try again in a few seconds.", &[])),
            ),
        ];
        pages.into_iter().map(|(name, page)| (name.to_owned(), page.unwrap())).collect()
    }

    /// What is not a page: the piece of HTML for the script.
    pub fn preview(&self) -> String {
        Preview { text: self.rendered() }.render().unwrap()
    }

    /// What is not HTML.
    pub fn feed(&self) -> String {
        let changes = (0..4).map(|index| self.change(index)).collect();
        Feed { name: self.text("Handbook"), base: self.text("https://wiki.example"), begun: time(1, 0), changes }
            .render()
            .unwrap()
    }
}

fn time(day: u32, hour: u32) -> Time {
    let date = NaiveDate::from_ymd_opt(2026, 11, day).unwrap();
    date.and_hms_micro_opt(hour, 33, 10, 123_456).unwrap().into()
}
