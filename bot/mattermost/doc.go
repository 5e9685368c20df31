// Package mattermost speaks Mattermost: what people type comes in by websocket, what the bot says goes out by REST, and
// where the server can reach a listener of ours, buttons, dialogs and the slash command come in by it.
//
// It decides nothing of the product and stores nothing but one mark: up to when everything was handled.
package mattermost
