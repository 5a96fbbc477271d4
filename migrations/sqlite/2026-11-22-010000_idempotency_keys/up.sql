-- Requests that carry an Idempotency-Key, by a hash of whose and which key it is. Without an answer the request
-- is under way; `token` is the proof of whoever carries it out. From `expiration_instant` on, the row is as good
-- as gone: whoever finds it may take it over or remove it.
CREATE TABLE idempotency_keys (
    id BLOB NOT NULL,
    request_hash BLOB NOT NULL,
    token BLOB NOT NULL,
    answer BLOB,
    expiration_instant BIGINT NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX idempotency_keys_expiration ON idempotency_keys (expiration_instant);
