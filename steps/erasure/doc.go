// Package erasure holds the steps that erase and export a customer, and the sweeps that remove what is past its
// retention. They work through the list of tables in package personal.
package erasure
