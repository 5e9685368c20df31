// Package slack is the chat platform Slack: messages and forms go out as Block Kit, events come in over Socket Mode or signed
// HTTP. Nobody's words are ever given to a parser of marks: they stand in rich text or in plain text.
package slack
