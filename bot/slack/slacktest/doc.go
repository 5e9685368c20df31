// Package slacktest is a Slack workspace for tests: real sockets on loopback, the Web API, Socket Mode and the signed HTTP
// requests as Slack has them, strict about arguments, scopes, blocks and triggers, and faults that can be switched on. It shares
// no code with a client library.
//
// A test makes a Server with Start, fills it (AddUser, AddChannel), points the bot at URL with BotToken and AppToken, and then
// acts as the people do (TypeDirect, Edit, Delete, Press, Choose, Command, SubmitModal, CloseModal, OpenHome, GlobalShortcut,
// MessageShortcut) and looks at what they see (Channel, DM, Ephemerals, Modal, Home). What people do to the bot with a button, a
// form or a command returns when the bot has acknowledged it, or when its time is over; what the bot does afterwards is awaited
// with Await. Messages and openings of the Home are events: they return at once, and Settle waits until all events came to an end.
//
// Time. Everything works in real time: an answer is due in 3 seconds, an event that was not acknowledged comes again at once,
// after 1 and after 5 minutes, a trigger lives 3 seconds. Advance lets that time pass without waiting, for redeliveries, triggers,
// tickets and response URLs; the deadline of what the bot has to answer now stays real, and Lapse ends it at once. Both leave the
// time that the server says (Date, ts, signatures) alone; Skew moves that. Settings scales each duration by itself.
//
// Fault, Fail and FailCode are what goes wrong with calls. A Socket can be disconnected, dropped, frozen, deafened and fed any
// bytes; Emit, Envelope, Odds, Repeat, Reorder and Burst are for events. Deliver switches to HTTP requests; Post, Resend, Verify and
// CheckSSL are for bad signatures and the rest. Journal has all that happened, Problems what a real server would only show in
// its users' faces, and Leaks looks for a marker in all that the bot sent.
package slacktest
