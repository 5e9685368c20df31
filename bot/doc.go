// Package bot decides what is asked when, what a reply may contain, what may be shown and who may change what; it
// knows no platform, no database and no HTTP, and reaches them through the ports Chat, Store and Keys.
//
// Data flows one way. The agenda (Store) says what is due; a use case changes a record and, in the same transaction,
// queues what must be said; the sender carries the queue to a Chat. What comes in is an Event; its effect is stored
// before anything is answered.
//
// No record ties a person to a reply. A member is a UserID for the length of one event. While a round is open, the
// person's ballot lies sealed at an Address that only the round's key slot can compute; at closing the ballots are
// opened in memory, released in one shuffled step, and the slot is destroyed.
package bot
