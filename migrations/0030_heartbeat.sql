-- When the relay last said that it is there, if there is a replica to tell: how far behind a replica is, it can be asked by this. The
-- only row.
CREATE TABLE heartbeat (
  is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
  beat_time timestamptz NOT NULL DEFAULT '-infinity'
);
INSERT INTO heartbeat DEFAULT VALUES;
