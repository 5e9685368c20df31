// Command weerklank runs the bot and is the admin's tool.
package main

func main() {}
