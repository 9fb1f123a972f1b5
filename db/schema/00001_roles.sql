-- +goose Up
CREATE EXTENSION IF NOT EXISTS vector;

-- Before 0.8, which adds hnsw.iterative_scan, a search in an index that tenants share ends at the rows of other tenants.
-- +goose StatementBegin
DO $$
DECLARE
    installed text := (SELECT extversion FROM pg_extension WHERE extname = 'vector');
BEGIN
    IF string_to_array(substring(installed FROM '^[0-9]+\.[0-9]+'), '.')::int[] < ARRAY [0, 8] THEN
        RAISE EXCEPTION 'pgvector % is installed, and 0.8 or newer is needed: install it on the server, '
            'then run ALTER EXTENSION vector UPDATE in this database', installed;
    END IF;
END
$$;
-- +goose StatementEnd

-- Roles belong to the whole cluster, so an administrator or the migration of another database may have created them, or
-- creates them now. vault_app sees one tenant at a time. vault_system (sweeps, relay, purge) sees all tenants. Neither
-- bypasses row-level security. The owner of the tables is a member of neither.
-- +goose StatementBegin
DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY ['vault_app', 'vault_system'] LOOP
        CONTINUE WHEN EXISTS (SELECT FROM pg_roles WHERE rolname = wanted);
        BEGIN
            EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
        EXCEPTION
            WHEN duplicate_object OR unique_violation THEN NULL;
            WHEN insufficient_privilege THEN
                RAISE EXCEPTION 'the role % is missing, and % may not create roles: an administrator creates it (docs/backup.md)',
                    wanted, CURRENT_USER;
        END;
    END LOOP;
END
$$;
-- +goose StatementEnd

-- +goose Down
-- A role that another database of the cluster uses stays, and so does one that an administrator created.
-- +goose StatementBegin
DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY ['vault_app', 'vault_system'] LOOP
        BEGIN
            EXECUTE format('DROP OWNED BY %I', wanted);
            EXECUTE format('DROP ROLE %I', wanted);
        EXCEPTION
            WHEN dependent_objects_still_exist OR undefined_object OR object_in_use OR insufficient_privilege THEN NULL;
        END;
    END LOOP;
END
$$;
-- +goose StatementEnd
-- +goose StatementBegin
DO $$
BEGIN
    DROP EXTENSION IF EXISTS vector;
EXCEPTION
    WHEN insufficient_privilege THEN NULL; -- an administrator created it
END
$$;
-- +goose StatementEnd
