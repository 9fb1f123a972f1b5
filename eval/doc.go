// Package eval measures the vault against human-made conversations whose facts are annotated: Schema-Guided Dialogue (Rastogi et
// al., 2020). It replays them through the running system, operation by operation, and compares what the vault stored, still
// misses and asks with what the annotations say and the human agent did.
//
//   - sgd.go reads the data set;
//   - mapping.go makes definitions of slots and scenarios of intents;
//   - annotate.go finds what the annotations say a model should find, and whether the vault may store it;
//   - server.go is a model server that answers from the annotations, so that the pipeline is measured apart from any model;
//   - replay.go runs the conversations;
//   - report.go adds up and prints.
package eval
