// Package eval measures the vault against annotated human-made conversations: Schema-Guided Dialogue (Rastogi et al.,
// 2020). It replays them through the running system, operation by operation. It compares the stored values, the missing
// values and the questions of the vault with the annotations and the questions of the human agent.
//
//   - sgd.go reads the data set;
//   - mapping.go makes definitions of slots and scenarios of intents;
//   - annotate.go derives the values that a model should find, and whether the vault may store them;
//   - server.go is a model server that answers from the annotations, to measure only the pipeline;
//   - replay.go runs the conversations;
//   - reader.go measures a model by itself, without a database;
//   - split.go names the tuned and the held-out services, paraphrase.go gives their slots other names;
//   - matching.go counts the slots that a match by meaning would confuse;
//   - report.go sums up and prints the results.
package eval
