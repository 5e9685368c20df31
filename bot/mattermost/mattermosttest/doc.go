// Package mattermosttest is a Mattermost server for tests: real sockets on loopback, the behaviour of 9.11 or 11.2, and
// faults that can be switched on. It shares no code with the client library.
package mattermosttest
