-- +goose Up
-- final_from is a cached column, has_holds says that there are rows of the obligation in holds.
ALTER TABLE obligations ADD COLUMN final_from TEXT;
ALTER TABLE obligations ADD COLUMN has_holds INTEGER NOT NULL DEFAULT 0;
CREATE INDEX obligations_final ON obligations (jurisdiction, final_from, plan, row_code, role, owes, state);
CREATE INDEX obligations_due ON obligations (jurisdiction, effective, kind);
CREATE INDEX obligations_due_now ON obligations (jurisdiction, now_effective, kind);
