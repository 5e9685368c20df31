// Package slack is Slack as a bot.Chat: Socket Mode or signed HTTP requests bring events in, the Web API carries messages
// out. What comes in is read by a decoder of our own, which knows only what the bot needs and loses none of that to what it
// does not know.
package slack

// Platform is the prefix of this platform's TeamIDs and ActorIDs: "slack:<team id>/<channel id>", "slack:<user id>".
const Platform = "slack"
