-- +goose Up
CREATE TABLE definitions (
    id                     uuid PRIMARY KEY,
    tenant_id              uuid NOT NULL REFERENCES tenants (id),
    agent_id               uuid NOT NULL,
    name                   text NOT NULL CHECK (name ~ '^[a-z_][a-z0-9_]*$' AND length(name) <= 50),
    display_name           text NOT NULL DEFAULT '',
    description            text NOT NULL DEFAULT '',
    value_type             text NOT NULL,
    validation_regex       text NOT NULL DEFAULT '' CHECK (length(validation_regex) <= 500),
    allowed_values         jsonb NOT NULL DEFAULT '[]',
    unit                   text NOT NULL DEFAULT '',
    minimum                jsonb, -- NULL: no limit
    maximum                jsonb,
    time_zone              text NOT NULL DEFAULT '',
    default_region         text NOT NULL DEFAULT '',
    json_schema            jsonb, -- NULL: none
    write_once             boolean NOT NULL DEFAULT false,
    multiple               boolean NOT NULL DEFAULT false,
    max_elements           integer NOT NULL DEFAULT 0 CHECK (max_elements BETWEEN 0 AND 1000), -- 0: the default limit
    validation_mode        text NOT NULL DEFAULT '' CHECK (validation_mode IN ('', 'strict', 'warn', 'disabled')),
    required_verification  boolean NOT NULL DEFAULT false,
    verification_methods   text[] NOT NULL DEFAULT '{}',
    ask_channels           text[] NOT NULL DEFAULT '{}',
    collection_prompt      text NOT NULL DEFAULT '',
    retry_prompt           text NOT NULL DEFAULT '',
    extraction_examples    text[] NOT NULL DEFAULT '{}',
    extraction_prompt_hint text NOT NULL DEFAULT '',
    forbid_extraction      boolean NOT NULL DEFAULT false, -- no value is read from a conversation
    about                  text NOT NULL DEFAULT '', -- the person whom the value is about; empty: the customer
    is_pii                 boolean NOT NULL DEFAULT false,
    purposes               text[] NOT NULL DEFAULT '{}', -- the value needs a consent to one of them; empty: none
    encryption_required    boolean NOT NULL DEFAULT false,
    searchable             boolean NOT NULL DEFAULT false, -- the sealed values can be found by a blind index
    prefix_search          boolean NOT NULL DEFAULT false, -- plain values can be found by their beginning
    retention_days         integer NOT NULL DEFAULT 0 CHECK (retention_days >= 0),
    remove_after_days      integer NOT NULL DEFAULT 0 CHECK (remove_after_days >= 0), -- after expiry; 0: versions stay
    erase_on_withdrawal    boolean NOT NULL DEFAULT false, -- a withdrawn consent erases the values
    freshness_seconds      bigint NOT NULL DEFAULT 0 CHECK (freshness_seconds >= 0),
    stale_action           text NOT NULL DEFAULT '' CHECK (stale_action IN ('', 'warn', 'block', 'ignore')),
    on_conflict            text NOT NULL DEFAULT '' CHECK (on_conflict IN ('', 'ask', 'review', 'keep', 'newest')),
    source_priority        text[] NOT NULL DEFAULT '{}',
    enabled                boolean NOT NULL DEFAULT true,
    origin                 text NOT NULL CHECK (origin IN ('human', 'extracted')),
    review_state           text NOT NULL DEFAULT 'none' CHECK (review_state IN ('none', 'pending', 'approved', 'rejected')),
    operation_id           uuid NOT NULL,
    accepted_at            timestamptz NOT NULL, -- of the newest applied save or deletion
    deleted_at             timestamptz,          -- the row stays, so that a late older save is recognised
    created_at             timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at             timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (tenant_id, agent_id, name)
);

-- What a field needs holds for its name in the tenant: every write asks for the purposes, every read of a tenant also for
-- is_pii. Most tenants have no purposes.
CREATE INDEX definitions_purposes ON definitions (tenant_id, name) WHERE purposes <> '{}' AND deleted_at IS NULL;
CREATE INDEX definitions_pii ON definitions (tenant_id, name) WHERE is_pii AND deleted_at IS NULL;
-- What a name is in the tenant, of any agent: filters by field.
CREATE INDEX definitions_name ON definitions (tenant_id, name) WHERE deleted_at IS NULL;
-- The fields whose values can be found by their beginning: each write asks for them. Most tenants have none.
CREATE INDEX definitions_prefix ON definitions (tenant_id, name) WHERE prefix_search AND deleted_at IS NULL;
CREATE INDEX definitions_policies ON definitions (tenant_id) WHERE (purposes <> '{}' OR is_pii) AND deleted_at IS NULL;

-- The names of fields that are sealed in a tenant: an agent had a definition of the name with encryption_required. A name
-- stays here, whatever becomes of the definition, and holds for all agents and for undefined fields.
CREATE TABLE sealed_fields (
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    name      text NOT NULL,
    added_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    sealed_at timestamptz, -- seal-values has sealed the versions from before; NULL: not yet
    -- When the definitions last changed whether the values can be found. seal-values makes or removes the keys of the
    -- blind index of the stored versions, and clears it. NULL: they are right.
    index_due timestamptz,
    PRIMARY KEY (tenant_id, name)
);
CREATE INDEX sealed_fields_index ON sealed_fields (index_due) WHERE index_due IS NOT NULL;
CREATE INDEX sealed_fields_pending ON sealed_fields (added_at) WHERE sealed_at IS NULL;

-- +goose StatementBegin
CREATE FUNCTION add_sealed_field() RETURNS trigger
    LANGUAGE plpgsql
AS $$
BEGIN
    IF NEW.encryption_required THEN
        INSERT INTO sealed_fields (tenant_id, name)
        VALUES (NEW.tenant_id, NEW.name)
        ON CONFLICT (tenant_id, name) DO NOTHING;
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF NOT NEW.searchable AND NOT NEW.encryption_required THEN
            RETURN NULL;
        END IF;
    ELSIF (NEW.searchable, NEW.encryption_required, NEW.deleted_at IS NULL)
        = (OLD.searchable, OLD.encryption_required, OLD.deleted_at IS NULL) THEN
        RETURN NULL;
    END IF;
    UPDATE sealed_fields
    SET index_due = clock_timestamp()
    WHERE tenant_id = NEW.tenant_id
      AND name = NEW.name;
    RETURN NULL;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER definitions_sealed AFTER INSERT OR UPDATE OF encryption_required, searchable, deleted_at ON definitions
    FOR EACH ROW EXECUTE FUNCTION add_sealed_field();

-- The names of fields whose values can be, or could once be, found by their beginning. index_due is as in sealed_fields:
-- seal-values adds the stored versions to the index customer_values_prefix or removes them from it.
CREATE TABLE prefix_fields (
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    name      text NOT NULL,
    index_due timestamptz,
    PRIMARY KEY (tenant_id, name)
);
CREATE INDEX prefix_fields_index ON prefix_fields (index_due) WHERE index_due IS NOT NULL;

-- +goose StatementBegin
CREATE FUNCTION add_prefix_field() RETURNS trigger
    LANGUAGE plpgsql
AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NOT NEW.prefix_search THEN
            RETURN NULL;
        END IF;
    ELSIF (NEW.prefix_search AND NEW.deleted_at IS NULL) = (OLD.prefix_search AND OLD.deleted_at IS NULL) THEN
        RETURN NULL;
    END IF;
    INSERT INTO prefix_fields (tenant_id, name, index_due)
    VALUES (NEW.tenant_id, NEW.name, clock_timestamp())
    ON CONFLICT (tenant_id, name) DO UPDATE SET index_due = excluded.index_due;
    RETURN NULL;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER definitions_prefix_search AFTER INSERT OR UPDATE OF prefix_search, deleted_at ON definitions
    FOR EACH ROW EXECUTE FUNCTION add_prefix_field();

-- A definition is embedded when an extraction first compares proposals with it. 512 is vault.EmbeddingDimensions.
CREATE TABLE definition_embeddings (
    definition_id uuid NOT NULL REFERENCES definitions (id) ON DELETE CASCADE,
    tenant_id     uuid NOT NULL REFERENCES tenants (id),
    model         text NOT NULL,
    content_hash  text NOT NULL,
    embedding     vector(512) NOT NULL,
    PRIMARY KEY (definition_id, model)
);
CREATE INDEX definition_embeddings_tenant ON definition_embeddings (tenant_id);
CREATE INDEX definition_embeddings_cosine ON definition_embeddings USING hnsw (embedding vector_cosine_ops);

CREATE TABLE scenarios (
    tenant_id    uuid NOT NULL REFERENCES tenants (id),
    id           uuid NOT NULL,
    agent_id     uuid NOT NULL,
    name         text NOT NULL,
    content      jsonb NOT NULL,
    content_hash text NOT NULL,
    operation_id uuid NOT NULL,
    accepted_at  timestamptz NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX scenarios_agent ON scenarios (tenant_id, agent_id, id);

CREATE TABLE rules (
    tenant_id    uuid NOT NULL REFERENCES tenants (id),
    id           uuid NOT NULL,
    agent_id     uuid NOT NULL,
    scenario_id  uuid NOT NULL,
    name         text NOT NULL,
    content      jsonb NOT NULL,
    content_hash text NOT NULL,
    operation_id uuid NOT NULL,
    accepted_at  timestamptz NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, scenario_id) REFERENCES scenarios (tenant_id, id)
);
CREATE INDEX rules_scenario ON rules (tenant_id, scenario_id);
CREATE INDEX rules_agent ON rules (tenant_id, agent_id, id);

CREATE TABLE requirements (
    id                 uuid PRIMARY KEY,
    tenant_id          uuid NOT NULL REFERENCES tenants (id),
    agent_id           uuid NOT NULL,
    scenario_id        uuid NOT NULL,
    step_id            text NOT NULL DEFAULT '', -- '': the whole scenario
    rule_id            uuid,
    field_name         text NOT NULL,
    required_level     text NOT NULL CHECK (required_level IN ('hard', 'soft')),
    fallback_action    text NOT NULL CHECK (fallback_action IN ('ask', 'skip', 'block', 'extract')),
    when_condition     text NOT NULL DEFAULT '',
    depends_on_fields  text[] NOT NULL DEFAULT '{}',
    collection_order   integer NOT NULL DEFAULT 0,
    refuse_stale       boolean NOT NULL DEFAULT false, -- true: a stale value counts as missing
    confidence         double precision NOT NULL CHECK (confidence BETWEEN 0 AND 1),
    needs_human_review boolean NOT NULL DEFAULT false,
    origin             text NOT NULL CHECK (origin IN ('human', 'extracted')),
    review_state       text NOT NULL DEFAULT 'none' CHECK (review_state IN ('none', 'pending', 'approved', 'rejected')),
    quote              text NOT NULL DEFAULT '',
    operation_id       uuid NOT NULL,
    accepted_at        timestamptz NOT NULL,
    updated_at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    deleted_at         timestamptz, -- the row stays, so that neither an older save nor an extraction restores it
    FOREIGN KEY (tenant_id, scenario_id) REFERENCES scenarios (tenant_id, id),
    FOREIGN KEY (tenant_id, rule_id) REFERENCES rules (tenant_id, id)
);
CREATE UNIQUE INDEX requirements_key ON requirements
    (tenant_id, scenario_id, step_id, coalesce(rule_id, '00000000-0000-0000-0000-000000000000'::uuid), field_name);

-- The proposals of the model for a content, which is never sent again. The zero UUID as rule_id is the scenario itself.
CREATE TABLE schema_extractions (
    tenant_id    uuid NOT NULL,
    scenario_id  uuid NOT NULL,
    rule_id      uuid NOT NULL,
    content_hash text NOT NULL,
    known_hash   text NOT NULL, -- of the definitions that the model knew
    model        text NOT NULL,
    proposals    jsonb NOT NULL,
    readings     jsonb NOT NULL, -- how each sentence was read
    warning      text NOT NULL,
    operation_id uuid NOT NULL,
    proposed_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, scenario_id, rule_id),
    FOREIGN KEY (tenant_id, scenario_id) REFERENCES scenarios (tenant_id, id)
);

-- The rules of a tenant by which two customers may be the same person: their values of all these fields are equal.
CREATE TABLE merge_rules (
    tenant_id    uuid NOT NULL REFERENCES tenants (id),
    id           uuid NOT NULL,
    name         text NOT NULL DEFAULT '',
    fields       text[] NOT NULL CHECK (cardinality(fields) BETWEEN 1 AND 5),
    unverified   boolean NOT NULL DEFAULT false, -- true: values that nobody verified count too
    max_group    integer NOT NULL CHECK (max_group BETWEEN 2 AND 50), -- a value that more customers share tells nothing
    enabled      boolean NOT NULL DEFAULT true,
    operation_id uuid NOT NULL,
    accepted_at  timestamptz NOT NULL, -- of the newest applied save or deletion
    created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    deleted_at   timestamptz,          -- the row stays, so that a late older save is recognised
    looked_at    timestamptz,          -- the end of the last pass of propose-merges; NULL: none yet
    PRIMARY KEY (tenant_id, id)
);
-- The rules that wait longest for a pass of propose-merges.
CREATE INDEX merge_rules_due ON merge_rules (looked_at NULLS FIRST, id) WHERE enabled AND deleted_at IS NULL;

-- +goose Down
DROP TABLE merge_rules;
DROP TABLE schema_extractions;
DROP TABLE requirements;
DROP TABLE rules;
DROP TABLE scenarios;
DROP TABLE definition_embeddings;
DROP TABLE sealed_fields;
DROP TABLE prefix_fields;
DROP TABLE definitions;
DROP FUNCTION add_sealed_field();
DROP FUNCTION add_prefix_field();
