// Package slack is Slack as a bot.Chat: Socket Mode or signed HTTP requests bring events in, the Web API carries messages and
// forms out as Block Kit. What comes in is read by a decoder of our own, which knows only what the bot needs and loses none
// of that to what it does not know. Nobody's words are ever given to a parser of marks: they stand in rich text or in plain
// text.
package slack

// Platform is the prefix of this platform's TeamIDs and ActorIDs: "slack:<team id>/<channel id>", "slack:<user id>".
const Platform = "slack"
