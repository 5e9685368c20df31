// Package mattermosttest is a Mattermost server for tests: real sockets on loopback, the behaviour of 9.11 or 11.2, and
// faults that can be switched on. It shares no code with the client library.
//
// A test makes a Server with New, fills it (AddBot, AddUser, AddTeam, AddChannel), points the bot at URL, and then acts as the
// people do (DM, Type, Mention, Edit, Delete, Click, Choose, Submit, Command) and looks at what they see (Posts, DMs, Dialog,
// Ephemerals). Await waits for what the bot does. Fault, Fail, Freeze, Stop, Restart, CutSockets and the events of Garbage, Skip
// and Repeat are what goes wrong; Settings are the server's switches and its clock. Forge, SubmitTo and ContextOf are what people
// with bad intentions can do on a real server too.
package mattermosttest
