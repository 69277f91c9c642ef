-- Search by words that the wiki makes itself, src/words: folded, split, in the language of the page. No extension is needed.

-- What a page is found by. The wiki writes it with the page, in one statement.
CREATE TABLE searched (
  post_id bigint PRIMARY KEY REFERENCES posts,
  -- The version of the page it was made from.
  version bigint NOT NULL,
  -- As BCP 47 names it; null if it cannot be told.
  language text,
  -- The beginning of the text without markup, for excerpts.
  plain text NOT NULL DEFAULT '',
  -- The words of the title, and those of title and text. Null if the wiki has not made them yet: see below.
  title_words tsvector,
  words tsvector,
  -- Numbers of the pairs of short words that follow one another. An index has no places of words: without these, a phrase
  -- of frequent words would be looked for in every page that has them all.
  title_pairs int[] NOT NULL DEFAULT '{}',
  pairs int[] NOT NULL DEFAULT '{}'
);
CREATE INDEX searched_by_word ON searched USING gin (words, pairs);
CREATE INDEX searched_by_title_word ON searched USING gin (title_words);
CREATE INDEX searched_later ON searched (post_id) WHERE words IS NULL;

-- Pages from before, and those that an older version of the wiki writes during an upgrade, have no words at first. The wiki
-- makes them a few at a time, when it is asked whether it is ready and when it searches.
INSERT INTO searched (post_id, version) SELECT id, version FROM posts;

CREATE FUNCTION search_later() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO searched (post_id, version) VALUES (NEW.id, NEW.version)
  ON CONFLICT (post_id) DO UPDATE SET version = excluded.version, title_words = NULL, words = NULL
  -- The wiki's own statements have written the words of this version by now.
  WHERE searched.version < excluded.version;
  RETURN NULL;
END
$$;

CREATE TRIGGER posts_searched_later AFTER INSERT OR UPDATE OF title, content ON posts
  FOR EACH ROW EXECUTE FUNCTION search_later();

-- A word, and the word without any one of its letters, as numbers. Two words have one in common if a letter was added, left
-- out, mistaken or exchanged with the next.
CREATE FUNCTION one_letter_less(word text) RETURNS int[] LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN (
  SELECT array_agg(DISTINCT hashtext(left(word, place - 1) || substr(word, place + 1)))
  FROM generate_series(1, length(word) + 1) AS place
);

-- Words that pages have or had, which misspelt words of a query are corrected to.
CREATE TABLE vocabulary (
  word text COLLATE "C" PRIMARY KEY,
  near int[] NOT NULL GENERATED ALWAYS AS (one_letter_less(word)) STORED
);
CREATE INDEX vocabulary_near ON vocabulary USING gin (near);

-- Older versions of the wiki run beside this one during an upgrade. They search through this view; they list pages by
-- words with the column, which is no longer kept up and is left for a later migration to remove.
CREATE OR REPLACE VIEW searched_posts AS
SELECT
  id, user_id, title, slug, tags, updated_time, deleted_time, searched.words, reads_words(searched.words) AS is_read,
  searched.title_words, searchable(left(content, 20000)) AS beginning
FROM posts JOIN searched ON post_id = id;
ALTER TABLE posts ALTER COLUMN words DROP EXPRESSION;
DROP INDEX posts_by_word;
DROP INDEX posts_by_title_word;
