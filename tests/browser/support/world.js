// What most test files have: an open wiki, a browser, people in front of it, and the API to prepare what they find.
import { makeWorld } from "./make.js";

/** The wiki's address, people, and the API; see make.js. */
export const { url, person, plainPerson, api } = await makeWorld();

const users = new Map();

/** The number of the user with that name. */
export async function user(username) {
  if (!users.has(username)) users.set(username, (await api("POST", "/users", { username })).id);
  return users.get(username);
}

/** Writes a page through the API, as Ada unless `fields` say otherwise; returns it. */
export async function write(title, content, fields = {}) {
  return api("POST", "/posts", { user_id: await user("Ada"), title, content, ...fields });
}

/** Edits a page through the API, on top of what it is; returns it as it is now. */
export async function rewrite(post, content, fields = {}) {
  const { version } = await api("GET", `/posts/${post.post_id}`);
  return api("PUT", `/posts/${post.post_id}`, { user_id: await user("Ada"), version, content, ...fields });
}

/** The address of a page, or of a view of it. */
export const at = (slug, view = "") => `/wiki/${encodeURIComponent(slug)}${view && `/${view}`}`;
