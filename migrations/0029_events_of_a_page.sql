-- The events of a page have its number for a key, whatever their topic is: the number alone finds them, in the order of the log.
-- And each event is half the bytes to write into this index.
DROP INDEX outbox_by_key;
CREATE INDEX outbox_by_key ON outbox (aggregateid, era, transaction, number);
