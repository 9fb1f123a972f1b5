// Package workflows says what happens on each event: a file per workflow, that reads like a table of contents. The steps
// themselves are methods in package steps, of the same names; there is no logic here.
//
//	workflow           event                       cron          one at a time per    steps
//	write-value        value:write                               profile              validate → persist → invalidate-and-acknowledge
//	import-values      values:import                             profile set          validate → persist → invalidate-and-acknowledge
//	verify-value       value:verify                              profile              persist → invalidate-and-acknowledge
//	add-asset          asset:add                                 profile              validate → persist → invalidate-and-acknowledge
//	delete-item        item:delete                               profile              check-dependents → delete → invalidate-and-acknowledge
//	restore-item       item:restore                              profile              restore → invalidate-and-acknowledge
//	open-customer       customer:open                              channel identity     persist → invalidate-and-acknowledge
//	link-channel       channel:link                              profile              persist → invalidate-and-acknowledge
//	record-consent     consent:record                            profile              persist → invalidate-and-acknowledge
//	merge-customers     customer:merge                             both profiles        merge → invalidate-and-acknowledge
//	unmerge-customer    customer:unmerge                           both profiles        unmerge → invalidate-and-acknowledge
//	delete-customer     customer:delete                            profile              delete → invalidate-and-acknowledge
//	save-session       session:save                              session              persist → invalidate-and-acknowledge
//	save-definition    definition:save                           definition           validate → embed → persist → invalidate-and-acknowledge
//	delete-definition  definition:delete                         definition           delete → invalidate-and-acknowledge
//	save-requirement   requirement:save                          requirement          validate → persist → invalidate-and-acknowledge
//	delete-requirement requirement:delete                        requirement          delete → invalidate-and-acknowledge
//	save-scenario      scenario:save                             scenario             persist → announce (scenario:saved)
//	save-rule          rule:save                                 rule                 persist → announce (rule:saved)
//	extract-schema     scenario:saved, rule:saved                scenario or rule     load → propose → match → persist → invalidate-and-acknowledge
//	decide-review      review:decided                            what is reviewed     persist → invalidate-and-acknowledge
//	fill-gaps          gaps:fill                                 profile and scenario fill (durable: advance-gaps, write-value …, wait for question:settled, again)
//	advance-gaps       (started by fill-gaps)                    gap fill             find-missing → resolve → ask
//	answer-question    question:answered                         question             validate → persist → invalidate-and-acknowledge → announce (question:settled)
//	cancel-fill        gaps:cancel                               gap fill             cancel → announce (question:settled)
//	set-customer-label customer:label                              profile              persist → invalidate-and-acknowledge
//	expire-values      values:expire               */5 * * * *                        expire → invalidate-and-acknowledge
//	detect-orphans     orphans:detect              */15 * * * *                       mark → invalidate-and-acknowledge
//	relay-operations                                  * * * * *                          relay
//	purge-operations                                  17 3 * * *                         purge
//
// "One at a time" is kept by the row that the step locks in PostgreSQL. Only extract-schema and fill-gaps, which would ask a
// model or a customer twice, have the engine queue their runs as well: its queue costs a run 0.1 s and now and then some
// seconds (v0.104.7, measured). A delete-item that is forced orphans the dependents in the step delete.
//
// register.go lists every workflow and is the only place that registers one; policy.go names the retries, back-offs and
// time-outs; task.go is the one edge between a step and the engine. The crons come from the configuration.
package workflows
