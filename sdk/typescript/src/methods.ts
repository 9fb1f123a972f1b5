// Generated from the OpenAPI document by `make generate`. Do not edit.

import { Core, type ChangeOptions, type Changed, type Entry, type Input, type Read, type WaitOptions } from "./core.js";

/** One method for each operation of the OpenAPI document. */
export class Methods extends Core {
  /**
   * Add a reference to a document. The document itself remains in its storage.
   */
  addAsset(input: Input<"add-asset">, options: ChangeOptions = {}): Promise<Changed<"add-asset">> {
    return this.change(
      { method: "POST", path: "/v1/customers/{customer_id}/assets", inPath: { customer_id: "customer_id" }, inQuery: [], hasBody: true },
      input, options,
    );
  }

  /**
   * Add an element to the list of a field. value is the element. The definition has multiple. The list with
   * the element is a new version. An element that the list has already changes nothing.
   */
  addElement(input: Input<"add-element">, options: ChangeOptions = {}): Promise<Changed<"add-element">> {
    return this.change(
      { method: "POST", path: "/v1/customers/{customer_id}/values/{name}/elements", inPath: { customer_id: "customer_id", name: "name" }, inQuery: [], hasBody: true },
      input, options,
    );
  }

  /**
   * Add turns to a session. Agent and customer are those of the session, unless the body names both.
   */
  addTurns(input: Input<"add-turns">, options: ChangeOptions = {}): Promise<Changed<"add-turns">> {
    return this.change(
      { method: "POST", path: "/v1/sessions/{session_id}/turns", inPath: { session_id: "session_id" }, inQuery: [], hasBody: true },
      input, options,
    );
  }

  /**
   * Answer a question. The answer is a value, or the words of the customer. A reply that does not answer,
   * such as "just a moment", succeeds with interrupted, and the question stays open. A refusal succeeds with
   * refused. After an unclear or invalid answer, the gap fill asks again in other words, up to its maximum
   * number of attempts.
   */
  answerQuestion(input: Input<"answer-question">, options: ChangeOptions = {}): Promise<Changed<"answer-question">> {
    return this.change(
      { method: "POST", path: "/v1/questions/{question_id}/answer", inPath: { question_id: "question_id" }, inQuery: [], hasBody: true },
      input, options,
    );
  }

  /**
   * Apply the configuration of an agent. Stores the changed definitions, scenarios, rules and requirements in
   * one transaction, or nothing. Applying the same configuration again changes nothing. Each changed text
   * starts an extraction. A definition that loses is_pii, or gets other purposes, needs the scope admin.
   */
  applyConfiguration(input: Input<"apply-configuration">, options: ChangeOptions = {}): Promise<Changed<"apply-configuration">> {
    return this.change(
      { method: "PUT", path: "/v1/agents/{agent_id}/configuration", inPath: { agent_id: "agent_id" }, inQuery: [], hasBody: true },
      input, options,
    );
  }

  /**
   * List the open questions to a customer, or wait for one. Oldest first, up to 1,000, those that the channel
   * may ask now. With wait, the response comes as soon as there is one, or empty after that time. A process
   * has a limited number of waiting requests, and fewer of one key; one beyond it is answered at once.
   */
  awaitQuestions(input: Input<"await-questions">): AsyncIterableIterator<Entry<"await-questions">> {
    return this.list(
      { method: "GET", path: "/v1/customers/{customer_id}/questions", inPath: { customer_id: "customer_id" }, inQuery: ["wait", "channel"] },
      input,
    );
  }

  /**
   * Cancel a gap fill. The gap fill opens no more questions and closes its open question. It ends at once
   * with what it has, or when its current write has finished. Other operations cannot be cancelled.
   */
  cancelFill(input: Input<"cancel-fill">, options: ChangeOptions = {}): Promise<Changed<"cancel-fill">> {
    return this.change(
      { method: "POST", path: "/v1/operations/{operation_id}/cancel", inPath: { operation_id: "operation_id" }, inQuery: [] },
      input, options,
    );
  }

  /**
   * Claim a question for a channel. For some seconds no other channel asks it: 409 while another channel has
   * it. The same channel renews its claim. An answer is taken from every channel.
   */
  claimQuestion(input: Input<"claim-question">, options: ChangeOptions = {}): Promise<Changed<"claim-question">> {
    return this.change(
      { method: "POST", path: "/v1/questions/{question_id}/claim", inPath: { question_id: "question_id" }, inQuery: [], hasBody: true },
      input, options,
    );
  }

  /**
   * Replace a wrong value. Whatever its strength. Both versions remain in the history, the new one with the
   * reason.
   */
  correctValue(input: Input<"correct-value">, options: ChangeOptions = {}): Promise<Changed<"correct-value">> {
    return this.change(
      { method: "POST", path: "/v1/customers/{customer_id}/values/{name}/correction", inPath: { customer_id: "customer_id", name: "name" }, inQuery: [], hasBody: true },
      input, options,
    );
  }

  /**
   * Count the customers who meet conditions. The conditions are those of list-customers. Merged customers are
   * not counted. The count ends after 200,000 candidates.
   */
  countCustomers(input: Input<"count-customers"> = {}): Promise<Read<"count-customers">> {
    return this.read(
      { method: "GET", path: "/v1/customers/count", inPath: {}, inQuery: ["where"] },
      input,
    );
  }

  /**
   * Create an API key. You make the secret and send its hash, so that the secret is in no request and no
   * answer before it is used. The id of the operation is the id of the key.
   */
  createKey(input: Input<"create-key">, options: ChangeOptions = {}): Promise<Changed<"create-key">> {
    return this.change(
      { method: "POST", path: "/v1/keys", inPath: {}, inQuery: [], hasBody: true },
      input, options,
    );
  }

  /**
   * Approve or reject a proposed merge. An approval merges the customers; unmerge-customer undoes it. A
   * rejected pair is not proposed again for the same values. If the proposal is not pending any more, or the
   * customers do not share the values any more, nothing is changed and the response is 409.
   */
  decideMerge(input: Input<"decide-merge">, options: ChangeOptions = {}): Promise<Changed<"decide-merge">> {
    return this.change(
      { method: "POST", path: "/v1/merge-proposals/{proposal_id}/decision", inPath: { proposal_id: "proposal_id" }, inQuery: [], hasBody: true },
      input, options,
    );
  }

  /**
   * Approve or reject an extracted definition or requirement. An approval of a requirement can include
   * changes to it.
   */
  decideReview(input: Input<"decide-review", { review_id: "id" }>, options: ChangeOptions = {}): Promise<Changed<"decide-review">> {
    return this.change(
      { method: "POST", path: "/v1/reviews/{review_id}/decision", inPath: { review_id: "id" }, inQuery: [], hasBody: true },
      input, options,
    );
  }

  /**
   * Approve or reject a pending value or a proposed deletion. An approved value becomes active with its own
   * lineage, and the version that it replaces superseded. A rejected one remains in the history. An approved
   * deletion deletes the value, a rejected one keeps it.
   */
  decideValue(input: Input<"decide-value">, options: ChangeOptions = {}): Promise<Changed<"decide-value">> {
    return this.change(
      { method: "POST", path: "/v1/items/{item_id}/decision", inPath: { item_id: "item_id" }, inQuery: [], hasBody: true },
      input, options,
    );
  }

  /**
   * Delete a customer. Also deletes its values and assets. It is reversible by an operator: the rows remain
   * in the database, but no read returns them, until purge_after, when the customer is erased for good. POST
   * …/erasure erases at once. If items of other customers were derived from them, the response is 409
   * has_dependents with the ids of those items.
   */
  deleteCustomer(input: Input<"delete-customer">, options: ChangeOptions = {}): Promise<Changed<"delete-customer">> {
    return this.change(
      { method: "DELETE", path: "/v1/customers/{customer_id}", inPath: { customer_id: "customer_id" }, inQuery: ["purge_after", "force"] },
      input, options,
    );
  }

  /**
   * Delete a definition. Collected values remain. A definition with requirements cannot be deleted: related
   * contains the ids of the requirements. One with is_pii or purposes is deleted by a key with the scope
   * admin.
   */
  deleteDefinition(input: Input<"delete-definition">, options: ChangeOptions = {}): Promise<Changed<"delete-definition">> {
    return this.change(
      { method: "DELETE", path: "/v1/agents/{agent_id}/definitions/{name}", inPath: { agent_id: "agent_id", name: "name" }, inQuery: ["if_version"] },
      input, options,
    );
  }

  /**
   * Delete a value or an asset. If other items were derived from it, the response is 409 has_dependents with
   * their ids.
   */
  deleteItem(input: Input<"delete-item">, options: ChangeOptions = {}): Promise<Changed<"delete-item">> {
    return this.change(
      { method: "DELETE", path: "/v1/items/{item_id}", inPath: { item_id: "item_id" }, inQuery: ["force", "restore_previous"] },
      input, options,
    );
  }

  /**
   * Delete a merge rule. Closes its pending proposals. Decisions stay.
   */
  deleteMergeRule(input: Input<"delete-merge-rule">, options: ChangeOptions = {}): Promise<Changed<"delete-merge-rule">> {
    return this.change(
      { method: "DELETE", path: "/v1/merge-rules/{merge_rule_id}", inPath: { merge_rule_id: "merge_rule_id" }, inQuery: ["if_version"] },
      input, options,
    );
  }

  /**
   * Delete a requirement. A later extraction does not add it again. Saving it adds it again.
   */
  deleteRequirement(input: Input<"delete-requirement">, options: ChangeOptions = {}): Promise<Changed<"delete-requirement">> {
    return this.change(
      { method: "DELETE", path: "/v1/scenarios/{scenario_id}/requirements/{field_name}", inPath: { scenario_id: "scenario_id", field_name: "field_name" }, inQuery: ["step_id", "rule_id", "if_version"] },
      input, options,
    );
  }

  /**
   * Delete a webhook. Removes its deliveries too. Nothing is delivered afterwards.
   */
  deleteWebhook(input: Input<"delete-webhook">, options: ChangeOptions = {}): Promise<Changed<"delete-webhook">> {
    return this.change(
      { method: "DELETE", path: "/v1/webhooks/{webhook_id}", inPath: { webhook_id: "webhook_id" }, inQuery: ["if_version"] },
      input, options,
    );
  }

  /**
   * Mark items without their source now. In all tenants, so with ADMIN_TOKEN alone. A schedule does the same.
   */
  detectOrphans(input: Record<string, never> = {}, options: ChangeOptions = {}): Promise<Changed<"detect-orphans">> {
    return this.change(
      { method: "POST", path: "/admin/profiles/detect-orphans", inPath: {}, inQuery: [] },
      input, options,
    );
  }

  /**
   * Mark items of the tenant without their source now. In the tenant of the key alone. A schedule does the
   * same in all tenants.
   */
  detectOwnOrphans(input: Record<string, never> = {}, options: ChangeOptions = {}): Promise<Changed<"detect-own-orphans">> {
    return this.change(
      { method: "POST", path: "/v1/sweeps/detect-orphans", inPath: {}, inQuery: [] },
      input, options,
    );
  }

  /**
   * Remove the cache entry of a customer. The next read uses the database. With ADMIN_TOKEN, X-Tenant is the
   * tenant of the customer. This is never necessary: the vault invalidates entries itself.
   */
  dropCachedProfile(input: Input<"drop-cached-profile">): Promise<Read<"drop-cached-profile">> {
    return this.read(
      { method: "DELETE", path: "/admin/cache/profiles/{customer_id}", inPath: { customer_id: "customer_id" }, inQuery: [] },
      input,
    );
  }

  /**
   * Say what a changed definition would break. Changes nothing. It needs the scopes read and write, as it
   * shows what a save would do, and a key that sees PII, as its numbers tell what values are. Returns the
   * stored values that would be invalid, the scenarios that could no longer start for customers, and the
   * requirements and conditions that name the field. The numbers are those of the customers that it looked
   * at: complete says whether these are all, and next_after leads to the others. It looks at fewer than asked
   * for if that takes long. A condition that reads the session counts as true.
   */
  dryRunDefinition(input: Input<"dry-run-definition">): Promise<Read<"dry-run-definition">> {
    return this.read(
      { method: "POST", path: "/v1/agents/{agent_id}/definitions/{name}/dry-run", inPath: { agent_id: "agent_id", name: "name" }, inQuery: ["after", "customers"], hasBody: true },
      input,
    );
  }

  /**
   * Say what the deletion of a definition would break. Changes nothing. It needs the scopes read and write,
   * as it shows what a save would do, and a key that sees PII, as its numbers tell what values are. Returns
   * the stored values, which stay and would be those of an unknown field, the scenarios that could no longer
   * start for customers, the requirements, conditions and rules that name the field, and the merge rules that
   * compare by it. The numbers are those of the customers that it looked at: complete says whether these are
   * all, and next_after leads to the others. It looks at fewer than asked for if that takes long. A condition
   * that reads the session counts as true.
   */
  dryRunDeleteDefinition(input: Input<"dry-run-delete-definition">): Promise<Read<"dry-run-delete-definition">> {
    return this.read(
      { method: "POST", path: "/v1/agents/{agent_id}/definitions/{name}/dry-run-delete", inPath: { agent_id: "agent_id", name: "name" }, inQuery: ["after", "customers"] },
      input,
    );
  }

  /**
   * Say what the deletion of a requirement would change. Changes nothing. It needs the scopes read and write,
   * as it shows what a save would do, and a key that sees PII, as its numbers tell what values are. Returns
   * for how many customers the scenario could then start, and the requirements that depend on the field or
   * read it. The numbers are those of the customers that it looked at: complete says whether these are all,
   * and next_after leads to the others. It looks at fewer than asked for if that takes long. A condition that
   * reads the session counts as true.
   */
  dryRunDeleteRequirement(input: Input<"dry-run-delete-requirement">): Promise<Read<"dry-run-delete-requirement">> {
    return this.read(
      { method: "POST", path: "/v1/scenarios/{scenario_id}/requirements/{field_name}/dry-run-delete", inPath: { scenario_id: "scenario_id", field_name: "field_name" }, inQuery: ["step_id", "rule_id", "after", "customers"] },
      input,
    );
  }

  /**
   * Say what a changed requirement would break. Changes nothing. It needs the scopes read and write, as it
   * shows what a save would do, and a key that sees PII, as its numbers tell what values are. Returns for how
   * many customers the scenario could no longer start, and who would be asked for more. The numbers are those
   * of the customers that it looked at: complete says whether these are all, and next_after leads to the
   * others. It looks at fewer than asked for if that takes long. A condition that reads the session counts as
   * true.
   */
  dryRunRequirement(input: Input<"dry-run-requirement">): Promise<Read<"dry-run-requirement">> {
    return this.read(
      { method: "POST", path: "/v1/scenarios/{scenario_id}/requirements/{field_name}/dry-run", inPath: { scenario_id: "scenario_id", field_name: "field_name" }, inQuery: ["after", "customers"], hasBody: true },
      input,
    );
  }

  /**
   * Say what a changed rule would break. Changes nothing. It needs the scopes read and write, as it shows
   * what a save would do, and a key that sees PII, as its numbers tell what values are. Returns the
   * requirements of the rule whose evidence would be gone. What the extraction finds in the new text is not
   * known before, so it looks at no customer.
   */
  dryRunRule(input: Input<"dry-run-rule", { rule_id: "id" }>): Promise<Read<"dry-run-rule">> {
    return this.read(
      { method: "POST", path: "/v1/agents/{agent_id}/rules/{rule_id}/dry-run", inPath: { agent_id: "agent_id", rule_id: "id" }, inQuery: [], hasBody: true },
      input,
    );
  }

  /**
   * Say what a changed scenario would break. Changes nothing. It needs the scopes read and write, as it shows
   * what a save would do, and a key that sees PII, as its numbers tell what values are. Returns the
   * requirements whose step or evidence would be gone, and for how many customers its new variables change
   * what the scenario asks. What the extraction finds in the new text is not known before. The numbers are
   * those of the customers that it looked at: complete says whether these are all, and next_after leads to
   * the others. It looks at fewer than asked for if that takes long. A condition that reads the session
   * counts as true.
   */
  dryRunScenario(input: Input<"dry-run-scenario", { scenario_id: "id" }>): Promise<Read<"dry-run-scenario">> {
    return this.read(
      { method: "POST", path: "/v1/agents/{agent_id}/scenarios/{scenario_id}/dry-run", inPath: { agent_id: "agent_id", scenario_id: "id" }, inQuery: ["after", "customers"], hasBody: true },
      input,
    );
  }

  /**
   * Erase a customer for good. Removes everything that the vault holds of the customer and of the customers
   * merged with it, in all tables and in the cache, and signs a receipt. It cannot be undone: DELETE
   * /v1/customers/{customer_id} is the reversible deletion. From its start on nothing can be stored for the
   * customer: later operations fail with erased. The id of the operation is the id of the erasure.
   */
  eraseCustomer(input: Input<"erase-customer">, options: ChangeOptions = {}): Promise<Changed<"erase-customer">> {
    return this.change(
      { method: "POST", path: "/v1/customers/{customer_id}/erasure", inPath: { customer_id: "customer_id" }, inQuery: [], hasBody: true },
      input, options,
    );
  }

  /**
   * Mark the values and assets of the tenant whose expiry has passed as expired. In the tenant of the key
   * alone. A schedule does the same in all tenants.
   */
  expireOwnValues(input: Record<string, never> = {}, options: ChangeOptions = {}): Promise<Changed<"expire-own-values">> {
    return this.change(
      { method: "POST", path: "/v1/sweeps/expire-values", inPath: {}, inQuery: [] },
      input, options,
    );
  }

  /**
   * End the active value of a field now. As if its expires_at had passed: the value stays in the history as
   * expired, the field is missing until the next write, and what was derived from the value becomes stale.
   */
  expireValue(input: Input<"expire-value">, options: ChangeOptions = {}): Promise<Changed<"expire-value">> {
    return this.change(
      { method: "POST", path: "/v1/customers/{customer_id}/values/{name}/expiry", inPath: { customer_id: "customer_id", name: "name" }, inQuery: [], hasBody: true },
      input, options,
    );
  }

  /**
   * Mark the values and assets whose expiry has passed as expired. In all tenants, so with ADMIN_TOKEN alone.
   * A schedule does the same.
   */
  expireValues(input: Record<string, never> = {}, options: ChangeOptions = {}): Promise<Changed<"expire-values">> {
    return this.change(
      { method: "POST", path: "/admin/profiles/expire-stale", inPath: {}, inQuery: [] },
      input, options,
    );
  }

  /**
   * Explain the requirements of a scenario. Returns for each sentence of the scenario and its rules the
   * requirements that it gave, how they were matched with definitions, and the phrases that were passed over,
   * with the reasons.
   */
  explainScenario(input: Input<"explain-scenario">): Promise<Read<"explain-scenario">> {
    return this.read(
      { method: "GET", path: "/v1/scenarios/{scenario_id}/explanation", inPath: { scenario_id: "scenario_id" }, inQuery: [] },
      input,
    );
  }

  /**
   * Export everything that the vault holds of a customer. For requests of access and portability. Records
   * that the export was asked for; GET …/exports/{export_id} then returns it, as long as expires_at of the
   * result says. The id of the operation is the id of the export. Needs a key that sees PII.
   */
  exportCustomer(input: Input<"export-customer">, options: ChangeOptions = {}): Promise<Changed<"export-customer">> {
    return this.change(
      { method: "POST", path: "/v1/customers/{customer_id}/exports", inPath: { customer_id: "customer_id" }, inQuery: [] },
      input, options,
    );
  }

  /**
   * Extract the requirements of a scenario or rule now. Each save starts an extraction by itself. Unchanged
   * content needs no model call.
   */
  extractSchema(input: Input<"extract-schema">, options: ChangeOptions = {}): Promise<Changed<"extract-schema">> {
    return this.change(
      { method: "POST", path: "/v1/scenarios/{scenario_id}/extract", inPath: { scenario_id: "scenario_id" }, inQuery: [], hasBody: true },
      input, options,
    );
  }

  /**
   * Fill the missing fields of a customer for a scenario. From the profile, the session and the conversation.
   * For the remaining fields, the operation opens questions (GET /v1/questions), and succeeds once all of
   * them are closed.
   */
  fillGaps(input: Input<"fill-gaps">, options: ChangeOptions = {}): Promise<Changed<"fill-gaps">> {
    return this.change(
      { method: "POST", path: "/v1/customers/{customer_id}/fill", inPath: { customer_id: "customer_id" }, inQuery: [], hasBody: true, asks: true },
      input, options,
    );
  }

  /**
   * Find the customer of a channel identity. It changes nothing: open-customer creates a customer for an
   * unknown identity, this route answers 404.
   */
  findCustomer(input: Input<"find-customer">): Promise<Read<"find-customer">> {
    return this.read(
      { method: "GET", path: "/v1/channels/{channel}/customer", inPath: { channel: "channel" }, inQuery: ["external_id"] },
      input,
    );
  }

  /**
   * Get the sources of an item. From the origin to the item. With as_of and known_at: as they were then.
   */
  getChain(input: Input<"get-chain">): Promise<Read<"get-chain">> {
    return this.read(
      { method: "GET", path: "/v1/items/{item_id}/chain", inPath: { item_id: "item_id" }, inQuery: ["as_of", "known_at", "depth"] },
      input,
    );
  }

  /**
   * Get the configuration of an agent. Returns the definitions, scenarios, rules and requirements that
   * persons saved or approved.
   */
  getConfiguration(input: Input<"get-configuration">): Promise<Read<"get-configuration">> {
    return this.read(
      { method: "GET", path: "/v1/agents/{agent_id}/configuration", inPath: { agent_id: "agent_id" }, inQuery: [] },
      input,
    );
  }

  /**
   * Get the context block of a customer. What an agent needs to know, for the prompt of its language model:
   * what the scenario misses, with the question that asks for it; what it needs and is known; what is
   * uncertain or waits for a decision; what is withheld; what else is known; documents. Each value has its
   * certainty, source, age and item id. The most useful comes first, and as much as fits in max_tokens: a
   * larger number adds entries at the end. Values are in double quotes, and nothing in them can end the
   * quotes, begin a line or open markup. The header Vault-Context-Tokens has the size. The age is in days, so
   * an answer and its ETag can change at most once a day by themselves.
   */
  getContext(input: Input<"get-context">): Promise<Read<"get-context">> {
    return this.read(
      { method: "GET", path: "/v1/customers/{customer_id}/context", inPath: { customer_id: "customer_id" }, inQuery: ["scenario", "session_id", "max_tokens", "format"] },
      input,
    );
  }

  /**
   * Get the profile of a customer. Active values and assets, channels, and valid consents. The profile of a
   * customer who has a session or a gap fill, and no value yet, is empty. The profile of a merged customer is
   * that of the customer it was merged into; requested_customer_id then says that it was merged. A profile
   * with more than 16 MiB of values is refused with 413: read its values one by one, or in the pages of its
   * history. The header ETag identifies the answer. With as_of and known_at the profile is the one of then,
   * without pending values; that cannot be combined with history.
   */
  getCustomer(input: Input<"get-customer">): Promise<Read<"get-customer">> {
    return this.read(
      { method: "GET", path: "/v1/customers/{customer_id}", inPath: { customer_id: "customer_id" }, inQuery: ["as_of", "known_at", "history"] },
      input,
    );
  }

  /**
   * Get an export of a customer. Everything that an erasure would remove, read in one snapshot, encrypted
   * values included. The vault stores no copy of it. The last member of the JSON is complete: without it, the
   * response was cut off.
   */
  getCustomerExport(input: Input<"get-customer-export">): Promise<Read<"get-customer-export">> {
    return this.read(
      { method: "GET", path: "/v1/customers/{customer_id}/exports/{export_id}", inPath: { customer_id: "customer_id", export_id: "export_id" }, inQuery: ["format"] },
      input,
    );
  }

  /**
   * Get a definition.
   */
  getDefinition(input: Input<"get-definition">): Promise<Read<"get-definition">> {
    return this.read(
      { method: "GET", path: "/v1/agents/{agent_id}/definitions/{name}", inPath: { agent_id: "agent_id", name: "name" }, inQuery: [] },
      input,
    );
  }

  /**
   * Get an erasure with its receipt. The receipt is signed (Ed25519) and contains counts and no personal
   * data. `vault erasure verify` checks it without the vault.
   */
  getErasure(input: Input<"get-erasure">): Promise<Read<"get-erasure">> {
    return this.read(
      { method: "GET", path: "/v1/erasures/{erasure_id}", inPath: { erasure_id: "erasure_id" }, inQuery: [] },
      input,
    );
  }

  /**
   * Check that the process is running.
   */
  getHealth(input: Record<string, never> = {}): Promise<Read<"get-health">> {
    return this.read(
      { method: "GET", path: "/healthz", inPath: {}, inQuery: [] },
      input,
    );
  }

  /**
   * Get the missing fields of a customer for a scenario. Unmet requirements, in the order of collection. For
   * a customer without values, all requirements are unmet.
   */
  getMissing(input: Input<"get-missing">): Promise<Read<"get-missing">> {
    return this.read(
      { method: "GET", path: "/v1/customers/{customer_id}/missing", inPath: { customer_id: "customer_id" }, inQuery: ["scenario_id", "step_id", "rule_id", "session_id", "level"] },
      input,
    );
  }

  /**
   * Get the status of an operation. The response for a failed operation is also 200. Its error is the reason
   * of the failure.
   */
  getOperation(input: Input<"get-operation">, options: WaitOptions = {}): Promise<Read<"get-operation">> {
    return this.read(
      { method: "GET", path: "/v1/operations/{operation_id}", inPath: { operation_id: "operation_id" }, inQuery: [] },
      input, options,
    );
  }

  /**
   * Get a question, open or closed.
   */
  getQuestion(input: Input<"get-question">): Promise<Read<"get-question">> {
    return this.read(
      { method: "GET", path: "/v1/questions/{question_id}", inPath: { question_id: "question_id" }, inQuery: [] },
      input,
    );
  }

  /**
   * Check that the server and its dependencies are ready. The response is 503 if a required dependency is
   * unavailable or the server is stopping.
   */
  getReadiness(input: Record<string, never> = {}): Promise<Read<"get-readiness">> {
    return this.read(
      { method: "GET", path: "/readyz", inPath: {}, inQuery: [], also: [503] },
      input,
    );
  }

  /**
   * Get the public key of receipts. Each tenant has its own key; its first erasure makes it.
   */
  getReceiptKey(input: Record<string, never> = {}): Promise<Read<"get-receipt-key">> {
    return this.read(
      { method: "GET", path: "/v1/receipt-key", inPath: {}, inQuery: [] },
      input,
    );
  }

  /**
   * Get a rule.
   */
  getRule(input: Input<"get-rule">): Promise<Read<"get-rule">> {
    return this.read(
      { method: "GET", path: "/v1/agents/{agent_id}/rules/{rule_id}", inPath: { agent_id: "agent_id", rule_id: "rule_id" }, inQuery: [] },
      input,
    );
  }

  /**
   * Get the runs of an operation in the workflow engine. With their steps, the attempts of each, and the
   * errors of those that failed (a key that is limited to agents gets no errors: the run can carry operations
   * of others). The answer is 503 if the engine does not answer within two seconds. Everything that decides
   * about the operation is in get-operation.
   */
  getRuns(input: Input<"get-runs">): Promise<Read<"get-runs">> {
    return this.read(
      { method: "GET", path: "/v1/operations/{operation_id}/runs", inPath: { operation_id: "operation_id" }, inQuery: [] },
      input,
    );
  }

  /**
   * Get a scenario.
   */
  getScenario(input: Input<"get-scenario">): Promise<Read<"get-scenario">> {
    return this.read(
      { method: "GET", path: "/v1/agents/{agent_id}/scenarios/{scenario_id}", inPath: { agent_id: "agent_id", scenario_id: "scenario_id" }, inQuery: [] },
      input,
    );
  }

  /**
   * Get a session.
   */
  getSession(input: Input<"get-session">): Promise<Read<"get-session">> {
    return this.read(
      { method: "GET", path: "/v1/sessions/{session_id}", inPath: { session_id: "session_id" }, inQuery: [] },
      input,
    );
  }

  /**
   * Get the active value of a field. With as_of and known_at: the value that was active then.
   */
  getValue(input: Input<"get-value">): Promise<Read<"get-value">> {
    return this.read(
      { method: "GET", path: "/v1/customers/{customer_id}/values/{name}", inPath: { customer_id: "customer_id", name: "name" }, inQuery: ["as_of", "known_at"] },
      input,
    );
  }

  /**
   * Get a webhook. Without its secret.
   */
  getWebhook(input: Input<"get-webhook">): Promise<Read<"get-webhook">> {
    return this.read(
      { method: "GET", path: "/v1/webhooks/{webhook_id}", inPath: { webhook_id: "webhook_id" }, inQuery: [] },
      input,
    );
  }

  /**
   * Write many values of a customer. In one transaction. One invalid write rejects all, unless skip_invalid
   * is set.
   */
  importCustomerValues(input: Input<"import-customer-values">, options: ChangeOptions = {}): Promise<Changed<"import-customer-values">> {
    return this.change(
      { method: "POST", path: "/v1/customers/{customer_id}/import", inPath: { customer_id: "customer_id" }, inQuery: [], hasBody: true },
      input, options,
    );
  }

  /**
   * Write values of many customers. In one transaction, up to 1,000 values. One invalid write rejects all,
   * unless skip_invalid is set.
   */
  importValues(input: Input<"import-values">, options: ChangeOptions = {}): Promise<Changed<"import-values">> {
    return this.change(
      { method: "POST", path: "/v1/import", inPath: {}, inQuery: [], hasBody: true },
      input, options,
    );
  }

  /**
   * Link a channel identity to a customer.
   */
  linkChannel(input: Input<"link-channel">, options: ChangeOptions = {}): Promise<Changed<"link-channel">> {
    return this.change(
      { method: "POST", path: "/v1/customers/{customer_id}/channels", inPath: { customer_id: "customer_id" }, inQuery: [], hasBody: true },
      input, options,
    );
  }

  /**
   * List the agents. Sorted by id: every agent with a definition or a scenario.
   */
  listAgents(input: Input<"list-agents"> = {}): AsyncIterableIterator<Entry<"list-agents">> {
    return this.list(
      { method: "GET", path: "/v1/agents", inPath: {}, inQuery: ["limit"] },
      input,
    );
  }

  /**
   * List the entries of the audit. Newest first: who did what to whom, without values. Entries outlive the
   * customer.
   */
  listAudit(input: Input<"list-audit"> = {}): AsyncIterableIterator<Entry<"list-audit">> {
    return this.list(
      { method: "GET", path: "/v1/audit", inPath: {}, inQuery: ["subject", "actor", "action", "operation", "purpose", "from", "to", "limit"] },
      input,
    );
  }

  /**
   * List the closed questions to a customer. The newest first, with how they ended.
   */
  listClosedQuestions(input: Input<"list-closed-questions">): AsyncIterableIterator<Entry<"list-closed-questions">> {
    return this.list(
      { method: "GET", path: "/v1/customers/{customer_id}/questions/closed", inPath: { customer_id: "customer_id" }, inQuery: ["limit"] },
      input,
    );
  }

  /**
   * List the versions of all fields of a customer. Newest first, by the order of acceptance.
   */
  listCustomerHistory(input: Input<"list-customer-history">): AsyncIterableIterator<Entry<"list-customer-history">> {
    return this.list(
      { method: "GET", path: "/v1/customers/{customer_id}/history", inPath: { customer_id: "customer_id" }, inQuery: ["limit"] },
      input,
    );
  }

  /**
   * List the customers. Sorted by id; with conditions, in the order of the index that finds them: the
   * customers with an old value begin with the oldest. Merged customers are not included. With conditions a
   * page reads up to 5,000 candidates: it can have fewer entries than its limit, or none, and still have a
   * next_cursor. A key can use only fields that it may see: a masked field is refused, a field with purposes
   * needs one of them, and the customers who have not consented to it are left out.
   */
  listCustomers(input: Input<"list-customers"> = {}): AsyncIterableIterator<Entry<"list-customers">> {
    return this.list(
      { method: "GET", path: "/v1/customers", inPath: {}, inQuery: ["values", "where", "limit"] },
      input,
    );
  }

  /**
   * List the definitions of an agent. Sorted by name.
   */
  listDefinitions(input: Input<"list-definitions">): AsyncIterableIterator<Entry<"list-definitions">> {
    return this.list(
      { method: "GET", path: "/v1/agents/{agent_id}/definitions", inPath: { agent_id: "agent_id" }, inQuery: ["limit"] },
      input,
    );
  }

  /**
   * List the deliveries of a webhook. Newest first. Finished ones are kept as long as events.
   */
  listDeliveries(input: Input<"list-deliveries">): AsyncIterableIterator<Entry<"list-deliveries">> {
    return this.list(
      { method: "GET", path: "/v1/webhooks/{webhook_id}/deliveries", inPath: { webhook_id: "webhook_id" }, inQuery: ["status", "limit"] },
      input,
    );
  }

  /**
   * List the items that were derived from an item. Up to 1,000 items, in the order of their creation.
   */
  listDerived(input: Input<"list-derived">): AsyncIterableIterator<Entry<"list-derived">> {
    return this.list(
      { method: "GET", path: "/v1/items/{item_id}/derived", inPath: { item_id: "item_id" }, inQuery: ["limit"] },
      input,
    );
  }

  /**
   * List the erasures. Newest first, without their receipts. They name no customer.
   */
  listErasures(input: Input<"list-erasures"> = {}): AsyncIterableIterator<Entry<"list-erasures">> {
    return this.list(
      { method: "GET", path: "/v1/erasures", inPath: {}, inQuery: ["limit"] },
      input,
    );
  }

  /**
   * Read the feed of events. What happened, oldest first, in ids and names. Events about one customer are in
   * the order in which they happened. With Accept: text/event-stream the response is a stream of server-sent
   * events, which goes on with what happens next. Events are kept for some days (events.retention_days):
   * after them, a cursor is expired. Of an erased customer only customer.erased is left.
   */
  listEvents(input: Input<"list-events"> = {}): AsyncIterableIterator<Entry<"list-events">> {
    return this.list(
      { method: "GET", path: "/v1/events", inPath: {}, inQuery: ["after", "types", "customer_id", "agent_id", "values", "limit"] },
      input,
    );
  }

  /**
   * List the versions of a field. Newest first, by the order of acceptance.
   */
  listHistory(input: Input<"list-history">): AsyncIterableIterator<Entry<"list-history">> {
    return this.list(
      { method: "GET", path: "/v1/customers/{customer_id}/values/{name}/history", inPath: { customer_id: "customer_id", name: "name" }, inQuery: ["limit"] },
      input,
    );
  }

  /**
   * List the API keys. Newest first, also those that were revoked. No answer holds a key or its hash.
   */
  listKeys(input: Input<"list-keys"> = {}): AsyncIterableIterator<Entry<"list-keys">> {
    return this.list(
      { method: "GET", path: "/v1/keys", inPath: {}, inQuery: ["limit"] },
      input,
    );
  }

  /**
   * List the proposed merges. Oldest first. They hold ids and names, no values.
   */
  listMergeProposals(input: Input<"list-merge-proposals"> = {}): AsyncIterableIterator<Entry<"list-merge-proposals">> {
    return this.list(
      { method: "GET", path: "/v1/merge-proposals", inPath: {}, inQuery: ["status", "customer_id", "limit"] },
      input,
    );
  }

  /**
   * List the merge rules. Sorted by id.
   */
  listMergeRules(input: Record<string, never> = {}): AsyncIterableIterator<Entry<"list-merge-rules">> {
    return this.list(
      { method: "GET", path: "/v1/merge-rules", inPath: {}, inQuery: [] },
      input,
    );
  }

  /**
   * List the merges of a customer. Newest first: the merges into this customer, the merge of this customer
   * into another one, and those of the customers who are merged into it. unmerge-customer undoes a merge with
   * the state undoable.
   */
  listMerges(input: Input<"list-merges">): AsyncIterableIterator<Entry<"list-merges">> {
    return this.list(
      { method: "GET", path: "/v1/customers/{customer_id}/merges", inPath: { customer_id: "customer_id" }, inQuery: ["limit"] },
      input,
    );
  }

  /**
   * List the operations. Newest first, without their results. Finished operations are deleted after some time
   * (by default 30 days, failed ones 90 days).
   */
  listOperations(input: Input<"list-operations"> = {}): AsyncIterableIterator<Entry<"list-operations">> {
    return this.list(
      { method: "GET", path: "/v1/operations", inPath: {}, inQuery: ["status", "workflow", "customer_id", "limit"] },
      input,
    );
  }

  /**
   * List the open questions. Oldest first.
   */
  listQuestions(input: Input<"list-questions"> = {}): AsyncIterableIterator<Entry<"list-questions">> {
    return this.list(
      { method: "GET", path: "/v1/questions", inPath: {}, inQuery: ["customer_id", "limit"] },
      input,
    );
  }

  /**
   * List the requirements of a scenario. Includes the requirements of its rules. Sorted by the order of
   * collection.
   */
  listRequirements(input: Input<"list-requirements">): AsyncIterableIterator<Entry<"list-requirements">> {
    return this.list(
      { method: "GET", path: "/v1/scenarios/{scenario_id}/requirements", inPath: { scenario_id: "scenario_id" }, inQuery: ["limit"] },
      input,
    );
  }

  /**
   * List the pending reviews. Extracted definitions first, then requirements, then pending values, then
   * proposed merges. Oldest first.
   */
  listReviews(input: Input<"list-reviews"> = {}): AsyncIterableIterator<Entry<"list-reviews">> {
    return this.list(
      { method: "GET", path: "/v1/reviews", inPath: {}, inQuery: ["limit"] },
      input,
    );
  }

  /**
   * List the rules of an agent. Sorted by id, without their texts.
   */
  listRules(input: Input<"list-rules">): AsyncIterableIterator<Entry<"list-rules">> {
    return this.list(
      { method: "GET", path: "/v1/agents/{agent_id}/rules", inPath: { agent_id: "agent_id" }, inQuery: ["scenario_id", "limit"] },
      input,
    );
  }

  /**
   * List the scenarios of an agent. Sorted by id, without their texts.
   */
  listScenarios(input: Input<"list-scenarios">): AsyncIterableIterator<Entry<"list-scenarios">> {
    return this.list(
      { method: "GET", path: "/v1/agents/{agent_id}/scenarios", inPath: { agent_id: "agent_id" }, inQuery: ["limit"] },
      input,
    );
  }

  /**
   * List the sessions of a customer. Newest first, without variables and turns. Those of customers merged
   * with this customer are included.
   */
  listSessions(input: Input<"list-sessions">): AsyncIterableIterator<Entry<"list-sessions">> {
    return this.list(
      { method: "GET", path: "/v1/customers/{customer_id}/sessions", inPath: { customer_id: "customer_id" }, inQuery: ["limit"] },
      input,
    );
  }

  /**
   * List what was used of the language model, by day. Newest day first. Days without a call are left out.
   */
  listUsage(input: Input<"list-usage"> = {}): AsyncIterableIterator<Entry<"list-usage">> {
    return this.list(
      { method: "GET", path: "/v1/usage", inPath: {}, inQuery: ["limit"] },
      input,
    );
  }

  /**
   * List the webhooks. Sorted by id, without their secrets.
   */
  listWebhooks(input: Record<string, never> = {}): AsyncIterableIterator<Entry<"list-webhooks">> {
    return this.list(
      { method: "GET", path: "/v1/webhooks", inPath: {}, inQuery: [] },
      input,
    );
  }

  /**
   * Merge another customer into this customer. Afterwards the id of the other customer refers to this
   * customer.
   */
  mergeCustomers(input: Input<"merge-customers", { customer_id: "target_customer_id" }>, options: ChangeOptions = {}): Promise<Changed<"merge-customers">> {
    return this.change(
      { method: "POST", path: "/v1/customers/{customer_id}/merge", inPath: { customer_id: "target_customer_id" }, inQuery: [], hasBody: true },
      input, options,
    );
  }

  /**
   * Get the customer of a channel identity, or create one. The result contains the id of the customer.
   */
  openCustomer(input: Input<"open-customer">, options: ChangeOptions = {}): Promise<Changed<"open-customer">> {
    return this.change(
      { method: "POST", path: "/v1/customers", inPath: {}, inQuery: [], hasBody: true },
      input, options,
    );
  }

  /**
   * Get the customers of many channel identities, or create them. At most 1000. The result contains the ids
   * of the customers, in the order of the identities.
   */
  openCustomers(input: Input<"open-customers">, options: ChangeOptions = {}): Promise<Changed<"open-customers">> {
    return this.change(
      { method: "POST", path: "/v1/customers/open", inPath: {}, inQuery: [], hasBody: true },
      input, options,
    );
  }

  /**
   * Propose to delete the active value of a field. It deletes nothing. The value appears in the reviews with
   * deletion_proposed_at, and a person decides with decide-value.
   */
  proposeDeletion(input: Input<"propose-deletion">, options: ChangeOptions = {}): Promise<Changed<"propose-deletion">> {
    return this.change(
      { method: "POST", path: "/v1/customers/{customer_id}/values/{name}/propose-deletion", inPath: { customer_id: "customer_id", name: "name" }, inQuery: [], hasBody: true },
      input, options,
    );
  }

  /**
   * Look for customers who may be the same person. By the merge rules of the tenant. Each pair becomes a
   * proposal, which a person decides. A schedule does the same.
   */
  proposeMerges(input: Input<"propose-merges"> = {}, options: ChangeOptions = {}): Promise<Changed<"propose-merges">> {
    return this.change(
      { method: "POST", path: "/v1/merge-proposals", inPath: {}, inQuery: [], hasBody: true },
      input, options,
    );
  }

  /**
   * Read the facts of a session. Reads what the customer said since the last reading, for all definitions of
   * the agent. Each fact that the customer's words prove is written, as an active or as a pending value.
   * Without a request, sessions are read when they end or have been quiet for a while. While a gap fill of
   * the session has not ended, nothing is read.
   */
  readConversation(input: Input<"read-conversation">, options: ChangeOptions = {}): Promise<Changed<"read-conversation">> {
    return this.change(
      { method: "POST", path: "/v1/sessions/{session_id}/read", inPath: { session_id: "session_id" }, inQuery: [] },
      input, options,
    );
  }

  /**
   * Find the facts and quotes of a customer that are closest to a question. It compares the question with the
   * active values of the customer and with the newest 2,000 turns (up to 4 MiB) of the conversations of the
   * customer and of those merged with it: by their words, and by the meaning of the turns that have an
   * embedding. Both ranks are fused. Turns that say a value which was deleted, is withheld or is masked for
   * the key are left out. Nothing of other customers is read.
   */
  recall(input: Input<"recall">): Promise<Read<"recall">> {
    return this.read(
      { method: "POST", path: "/v1/customers/{customer_id}/recall", inPath: { customer_id: "customer_id" }, inQuery: [], hasBody: true },
      input,
    );
  }

  /**
   * Record that a customer grants or refuses a consent.
   */
  recordConsent(input: Input<"record-consent">, options: ChangeOptions = {}): Promise<Changed<"record-consent">> {
    return this.change(
      { method: "POST", path: "/v1/customers/{customer_id}/consents", inPath: { customer_id: "customer_id" }, inQuery: [], hasBody: true },
      input, options,
    );
  }

  /**
   * Remove an element from the list of a field. value is the element. The list without it is a new version.
   * An element that the list does not have changes nothing.
   */
  removeElement(input: Input<"remove-element">, options: ChangeOptions = {}): Promise<Changed<"remove-element">> {
    return this.change(
      { method: "POST", path: "/v1/customers/{customer_id}/values/{name}/elements/remove", inPath: { customer_id: "customer_id", name: "name" }, inQuery: [], hasBody: true },
      input, options,
    );
  }

  /**
   * Deliver dead deliveries of a webhook again.
   */
  replayDeliveries(input: Input<"replay-deliveries">, options: ChangeOptions = {}): Promise<Changed<"replay-deliveries">> {
    return this.change(
      { method: "POST", path: "/v1/webhooks/{webhook_id}/replay", inPath: { webhook_id: "webhook_id" }, inQuery: [], hasBody: true },
      input, options,
    );
  }

  /**
   * Replay a failed or overdue operation. A failed operation runs again: use it once the cause is fixed. An
   * operation that is unfinished after a minute is sent to the workflow engine again; the member replayed
   * says which. The operation keeps its id and its position in the order of acceptance.
   */
  replayOperation(input: Input<"replay-operation">, options: ChangeOptions = {}): Promise<Changed<"replay-operation">> {
    return this.change(
      { method: "POST", path: "/v1/operations/{operation_id}/replay", inPath: { operation_id: "operation_id" }, inQuery: [] },
      input, options,
    );
  }

  /**
   * Restore an item. Restores a deleted item. An orphaned item becomes active if its source exists again.
   */
  restoreItem(input: Input<"restore-item">, options: ChangeOptions = {}): Promise<Changed<"restore-item">> {
    return this.change(
      { method: "POST", path: "/v1/items/{item_id}/restore", inPath: { item_id: "item_id" }, inQuery: [] },
      input, options,
    );
  }

  /**
   * Revoke an API key. It ends within seconds. To revoke it again changes nothing.
   */
  revokeKey(input: Input<"revoke-key">, options: ChangeOptions = {}): Promise<Changed<"revoke-key">> {
    return this.change(
      { method: "DELETE", path: "/v1/keys/{key_id}", inPath: { key_id: "key_id" }, inQuery: [] },
      input, options,
    );
  }

  /**
   * Save a definition. A definition allows an agent to collect a field, and describes its values. One that
   * loses is_pii, or gets other purposes, needs the scope admin.
   */
  saveDefinition(input: Input<"save-definition">, options: ChangeOptions = {}): Promise<Changed<"save-definition">> {
    return this.change(
      { method: "PUT", path: "/v1/agents/{agent_id}/definitions/{name}", inPath: { agent_id: "agent_id", name: "name" }, inQuery: [], hasBody: true },
      input, options,
    );
  }

  /**
   * Save a merge rule. Two customers with equal values of all its fields may be the same person. Only
   * verified values count, unless the rule says otherwise.
   */
  saveMergeRule(input: Input<"save-merge-rule">, options: ChangeOptions = {}): Promise<Changed<"save-merge-rule">> {
    return this.change(
      { method: "PUT", path: "/v1/merge-rules/{merge_rule_id}", inPath: { merge_rule_id: "merge_rule_id" }, inQuery: [], hasBody: true },
      input, options,
    );
  }

  /**
   * Save a requirement. The agent is the agent of the scenario, unless the body names one. With step_id or
   * rule_id, the requirement applies to a step or a rule.
   */
  saveRequirement(input: Input<"save-requirement">, options: ChangeOptions = {}): Promise<Changed<"save-requirement">> {
    return this.change(
      { method: "PUT", path: "/v1/scenarios/{scenario_id}/requirements/{field_name}", inPath: { scenario_id: "scenario_id", field_name: "field_name" }, inQuery: [], hasBody: true },
      input, options,
    );
  }

  /**
   * Save a rule of a scenario. The vault then extracts the requirements from the text, in another operation.
   * The result contains its id.
   */
  saveRule(input: Input<"save-rule", { rule_id: "id" }>, options: ChangeOptions = {}): Promise<Changed<"save-rule">> {
    return this.change(
      { method: "PUT", path: "/v1/agents/{agent_id}/rules/{rule_id}", inPath: { agent_id: "agent_id", rule_id: "id" }, inQuery: [], hasBody: true },
      input, options,
    );
  }

  /**
   * Save a scenario. The vault then extracts the requirements from the text, in another operation. The result
   * contains its id.
   */
  saveScenario(input: Input<"save-scenario", { scenario_id: "id" }>, options: ChangeOptions = {}): Promise<Changed<"save-scenario">> {
    return this.change(
      { method: "PUT", path: "/v1/agents/{agent_id}/scenarios/{scenario_id}", inPath: { agent_id: "agent_id", scenario_id: "id" }, inQuery: [], hasBody: true },
      input, options,
    );
  }

  /**
   * Save a session. Merges variables by name, and appends turns.
   */
  saveSession(input: Input<"save-session">, options: ChangeOptions = {}): Promise<Changed<"save-session">> {
    return this.change(
      { method: "PUT", path: "/v1/sessions/{session_id}", inPath: { session_id: "session_id" }, inQuery: [], hasBody: true },
      input, options,
    );
  }

  /**
   * Save a webhook. A subscription to the feed, delivered to an address by the convention Standard Webhooks:
   * signed, at least once, in order for each customer, with retries over about three days. It begins with
   * what happens from then on. The caller makes the secret, and no read returns it.
   */
  saveWebhook(input: Input<"save-webhook">, options: ChangeOptions = {}): Promise<Changed<"save-webhook">> {
    return this.change(
      { method: "PUT", path: "/v1/webhooks/{webhook_id}", inPath: { webhook_id: "webhook_id" }, inQuery: [], hasBody: true },
      input, options,
    );
  }

  /**
   * Set the label of a customer. A short text for the people who work with the customer. The profile contains
   * it. An empty label removes it.
   */
  setCustomerLabel(input: Input<"set-customer-label">, options: ChangeOptions = {}): Promise<Changed<"set-customer-label">> {
    return this.change(
      { method: "PUT", path: "/v1/customers/{customer_id}/label", inPath: { customer_id: "customer_id" }, inQuery: [], hasBody: true },
      input, options,
    );
  }

  /**
   * Take a turn of a session. take-turn for callers who manage the ids of their sessions. add-turns only
   * saves turns. One request for each message. It saves the turn, answers the open question of the customer
   * with it if it does, stores the facts that it states and proves, starts or moves on the gap fill of the
   * scenario, and asks the next question. With Prefer: wait, the response has what was learned, with quotes,
   * what was refused and why, what is missing, the next question and the context block; a key without the
   * scope read gets the stored result only. A repeat with the same Idempotency-Key takes no second turn. An
   * unknown channel identity opens a customer. A session of another customer is refused with 409.
   */
  takeSessionTurn(input: Input<"take-session-turn">, options: ChangeOptions = {}): Promise<Changed<"take-session-turn">> {
    return this.change(
      { method: "POST", path: "/v1/sessions/{session_id}/take-turn", inPath: { session_id: "session_id" }, inQuery: ["max_tokens", "format"], hasBody: true },
      input, options,
    );
  }

  /**
   * Take a turn of a conversation. One request for each message. It saves the turn, answers the open question
   * of the customer with it if it does, stores the facts that it states and proves, starts or moves on the
   * gap fill of the scenario, and asks the next question. With Prefer: wait, the response has what was
   * learned, with quotes, what was refused and why, what is missing, the next question and the context block;
   * a key without the scope read gets the stored result only. A repeat with the same Idempotency-Key takes no
   * second turn. An unknown channel identity opens a customer. A session of another customer is refused with
   * 409.
   */
  takeTurn(input: Input<"take-turn">, options: ChangeOptions = {}): Promise<Changed<"take-turn">> {
    return this.change(
      { method: "POST", path: "/v1/turns", inPath: {}, inQuery: ["max_tokens", "format"], hasBody: true },
      input, options,
    );
  }

  /**
   * Deliver a test to a webhook. A message of the type webhook.test without data. The list of deliveries
   * shows its outcome.
   */
  testWebhook(input: Input<"test-webhook">, options: ChangeOptions = {}): Promise<Changed<"test-webhook">> {
    return this.change(
      { method: "POST", path: "/v1/webhooks/{webhook_id}/test", inPath: { webhook_id: "webhook_id" }, inQuery: [] },
      input, options,
    );
  }

  /**
   * Undo the merge of this customer into another customer. Restores the exact state before the merge. Values
   * that were written after the merge remain with the other customer. GET …/merges lists the merges that
   * can be undone.
   */
  unmergeCustomer(input: Input<"unmerge-customer">, options: ChangeOptions = {}): Promise<Changed<"unmerge-customer">> {
    return this.change(
      { method: "POST", path: "/v1/customers/{customer_id}/unmerge", inPath: { customer_id: "customer_id" }, inQuery: [] },
      input, options,
    );
  }

  /**
   * Compare the audit with its seals. It reads the whole audit of the tenant, and names each entry that was
   * changed, removed or inserted, and each seal that was changed or removed.
   */
  verifyAudit(input: Input<"verify-audit"> = {}): Promise<Read<"verify-audit">> {
    return this.read(
      { method: "GET", path: "/v1/audit/verification", inPath: {}, inQuery: ["expect"] },
      input,
    );
  }

  /**
   * Mark the active value of a field as verified.
   */
  verifyValue(input: Input<"verify-value">, options: ChangeOptions = {}): Promise<Changed<"verify-value">> {
    return this.change(
      { method: "POST", path: "/v1/customers/{customer_id}/values/{name}/verify", inPath: { customer_id: "customer_id", name: "name" }, inQuery: [], hasBody: true },
      input, options,
    );
  }

  /**
   * Write a value. The first write creates the profile. The previous version becomes superseded and remains
   * in the history. A value that differs from a stronger active one does not replace it: its status is
   * pending, and a person or the customer decides. Strength is the verification first, then the source.
   */
  writeValue(input: Input<"write-value">, options: ChangeOptions = {}): Promise<Changed<"write-value">> {
    return this.change(
      { method: "PUT", path: "/v1/customers/{customer_id}/values/{name}", inPath: { customer_id: "customer_id", name: "name" }, inQuery: [], hasBody: true },
      input, options,
    );
  }
}
