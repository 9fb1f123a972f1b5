// Package workflows defines which steps run on which event, grouped by subject. A workflow reads like a table of
// contents. The steps are methods in the packages below steps, with the same names; there is no logic here.
//
//	workflow           event                       cron          one at a time per    steps
//	write-value        value:write                               profile              validate → persist → invalidate-and-acknowledge
//	add-element        element:add                               profile              validate → persist → invalidate-and-acknowledge
//	remove-element     element:remove                            profile              validate → persist → invalidate-and-acknowledge
//	import-values      values:import                             profile set          validate → persist → invalidate-and-acknowledge
//	verify-value       value:verify                              profile              persist → invalidate-and-acknowledge
//	expire-value       value:expire                              profile              persist → invalidate-and-acknowledge
//	add-asset          asset:add                                 profile              validate → persist → invalidate-and-acknowledge
//	delete-item        item:delete                               profile              check-dependents → delete → invalidate-and-acknowledge
//	restore-item       item:restore                              profile              restore → invalidate-and-acknowledge
//	open-customer      customer:open                             channel identity     persist → invalidate-and-acknowledge
//	link-channel       channel:link                              profile              persist → invalidate-and-acknowledge
//	record-consent     consent:record                            profile              persist → invalidate-and-acknowledge
//	merge-customers    customer:merge                            both profiles        merge → invalidate-and-acknowledge
//	unmerge-customer   customer:unmerge                          both profiles        unmerge → invalidate-and-acknowledge
//	delete-customer    customer:delete                           profile              delete → invalidate-and-acknowledge
//	save-session       session:save                              session              persist → invalidate-and-acknowledge
//	save-definition    definition:save                           definition           validate → persist → invalidate-and-acknowledge
//	delete-definition  definition:delete                         definition           delete → invalidate-and-acknowledge
//	save-requirement   requirement:save                          requirement          validate → persist → invalidate-and-acknowledge
//	delete-requirement requirement:delete                        requirement          delete → invalidate-and-acknowledge
//	save-scenario      scenario:save                             scenario             persist → announce (scenario:saved)
//	save-rule          rule:save                                 rule                 persist → announce (rule:saved)
//	extract-schema     scenario:saved, rule:saved                text                 load → propose → match → persist → invalidate-and-acknowledge
//	apply-configuration configuration:apply                      agent                validate → persist → invalidate-and-acknowledge
//	decide-review      review:decided                            reviewed row         persist → invalidate-and-acknowledge
//	fill-gaps          gaps:fill                                 gap fill             find-missing → resolve → ask (again after each change that concerns it)
//	answer-question    question:answered                         question             validate → persist → invalidate-and-acknowledge
//	cancel-fill        gaps:cancel                               gap fill             cancel → invalidate-and-acknowledge
//	set-customer-label customer:label                            profile              persist → invalidate-and-acknowledge
//	open-customers     customers:open                            profile              persist → invalidate-and-acknowledge
//	correct-value      value:correct                             profile              validate → persist → invalidate-and-acknowledge
//	decide-value       value:decide                              profile              persist → invalidate-and-acknowledge
//	take-turn          turn:taken                                profile              read → persist → invalidate-and-acknowledge
//	claim-question     question:claimed                          profile              claim → invalidate-and-acknowledge
//	propose-deletion   deletion:propose                          profile              persist → invalidate-and-acknowledge
//	delete-webhook     webhook:delete                            webhook              stop → persist → invalidate-and-acknowledge
//	deliver-webhooks   webhooks:deliver            * * * * *                          deliver
//	replay-deliveries  deliveries:replay                         webhook              persist → invalidate-and-acknowledge
//	save-webhook       webhook:save                              webhook              persist → invalidate-and-acknowledge
//	test-webhook       webhook:test                              webhook              persist → invalidate-and-acknowledge
//	save-merge-rule    merge-rule:save                           rule                 persist → invalidate-and-acknowledge
//	delete-merge-rule  merge-rule:delete                         rule                 persist → invalidate-and-acknowledge
//	propose-merges     merges:propose              23 * * * *    tenant               propose → invalidate-and-acknowledge
//	decide-merge       merge:decide                              pair of profiles     decide → invalidate-and-acknowledge
//	create-key         key:create                                key                  persist → invalidate-and-acknowledge
//	revoke-key         key:revoke                                key                  persist → invalidate-and-acknowledge
//	expire-values      values:expire               */5 * * * *                        expire → invalidate-and-acknowledge
//	detect-orphans     orphans:detect              */15 * * * *                       mark → invalidate-and-acknowledge
//	relay-operations                               * * * * *                          relay
//	read-conversation  conversation:read                         session              read → persist → invalidate-and-acknowledge
//	read-quiet-sessions                            * * * * *                          queue
//	erase-customer     customer:erase                            profile              begin → end-work → erase → scan → finish → invalidate-and-acknowledge
//	export-customer    customer:export                           customer             record → finish → invalidate-and-acknowledge
//	purge-customers                                37 * * * *                         queue
//	remove-expired                                 47 * * * *                         remove → invalidate-and-acknowledge
//	purge-operations                               17 3 * * *                         purge
//	seal-audit                                     * * * * *                          seal
//	rotate-keys                                    41 * * * *                         rewrap
//	seal-values                                    */5 * * * *                        seal
//
// A run carries a batch: the operations of one tenant and workflow that were accepted while earlier runs were in flight
// (trigger/dispatch.go), or one operation of a workflow that is not batched: save-definition and the other changes of a
// schema, extract-schema and fill-gaps. Each operation of a batch keeps its own idempotence, result, rejection and
// replay (steps/once/batch.go).
//
// The steps keep "one at a time" with a row lock in PostgreSQL, and with a hold (steps/once/hold.go) around a call of a
// model. They never rely on the engine's queues: a run that the engine has lost would block its queue for good, and the
// queue delays each run by 0.1 s and occasionally by several seconds (measured with v0.104.7). A forced delete-item
// orphans the dependents in its step delete.
//
// No run waits for a person. A gap fill that waits has its state in PostgreSQL, and each change that concerns it
// starts a run. An answer asks the next question in its own run (steps/gapfill/next.go), so that a conversation waits
// for one run only. A durable wait of the engine would do the same, but the engine loses waits when PostgreSQL
// restarts (v0.104.7, observed), and then the fill never ends.
//
// register.go lists every workflow and is the only place that registers one; flow.go builds the linear workflows;
// policy.go defines retries, backoffs and time-outs; task.go connects steps to the engine. The crons come from the
// configuration.
package workflows
