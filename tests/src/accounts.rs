//! The wiki's accounts: signing in, and what tokens are good for.

use serde_json::{Value, json};

use crate::app::Builder;
use crate::{Client, Request};

/// The password of the first administrator, who is called `admin`.
pub const ADMIN_PASSWORD: &str = "first-light-of-day-7";

/// The password administrators give to others.
pub const GIVEN_PASSWORD: &str = "given by somebody else";

/// The password that everybody else chooses.
pub const PASSWORD: &str = "four words in a row";

impl Builder {
    /// The wiki in this mode, with a first administrator.
    pub fn access(self, mode: &str) -> Self {
        self.env("SPIN_VARIABLE_ACCESS", mode).env("SPIN_VARIABLE_ADMIN_PASSWORD", ADMIN_PASSWORD)
    }
}

impl Request {
    /// With a browser's cookie, as [`Client::sign_in`] returns it.
    pub fn cookie(self, cookie: &str) -> Self {
        self.header("cookie", cookie)
    }

    /// With a program's token.
    pub fn token(self, token: &str) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }

    /// With a form as its body, sent from the wiki's own pages.
    pub fn form(self, fields: &[(&str, &str)]) -> Self {
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.header("sec-fetch-site", "same-origin").body("application/x-www-form-urlencoded", form)
    }
}

impl Client {
    /// Signs in, and returns the cookies as a browser sends them back: `name=value`.
    ///
    /// # Panics
    /// When the wiki refuses.
    pub async fn sign_in(&self, username: &str, password: &str) -> String {
        let fields = [("username", username), ("password", password)];
        self.post("/wiki/-/sign-in").form(&fields).await.expect(303).cookies().join("; ")
    }

    /// Signs in as the first administrator.
    pub async fn administrator(&self) -> String {
        self.sign_in("admin", ADMIN_PASSWORD).await
    }

    /// Makes an account, as the administrator of this cookie, whose owner then chooses [`PASSWORD`].
    ///
    /// # Panics
    /// When the wiki refuses.
    pub async fn create_account(&self, administrator: &str, username: &str, role: &str) -> Value {
        let body = json!({"username": username, "password": GIVEN_PASSWORD, "role": role});
        let user = self.post("/users").cookie(administrator).json(body).await.expect(201).json();
        let cookie = self.sign_in(username, GIVEN_PASSWORD).await;
        self.choose_password(&cookie, GIVEN_PASSWORD).await;
        self.post("/wiki/-/sign-out").cookie(&cookie).form(&[]).await.expect(303);
        user
    }

    /// Chooses [`PASSWORD`] in place of the current one.
    ///
    /// # Panics
    /// When the wiki refuses.
    pub async fn choose_password(&self, cookie: &str, current: &str) {
        let change = json!({"current": current, "new": PASSWORD});
        self.put("/account/password").cookie(cookie).json(change).await.expect(204);
    }

    /// Makes a token of the account of this cookie.
    ///
    /// # Panics
    /// When the wiki refuses.
    pub async fn create_token(&self, cookie: &str, scope: &str) -> String {
        let body = json!({"name": format!("to {scope}"), "scope": scope});
        let token = self.post("/tokens").cookie(cookie).json(body).await.expect(201).json();
        token["token"].as_str().expect("a new token is shown").to_owned()
    }
}
