package mailtest

// badTransactions misbehave at the commands of a transaction.
func badTransactions() []BadServer {
	var all []BadServer
	for _, verb := range []string{"MAIL", "RCPT", "DATA"} {
		at := Script("G: " + verb + "\n")
		wrong := "354 Go ahead"
		if verb == "DATA" {
			wrong = "250 2.0.0 OK"
		}
		all = append(all,
			BadServer{Name: verb + " without a reply", About: "does not answer " + verb, Script: at + "C*"},
			BadServer{Name: verb + " closed", About: "closes the connection at " + verb, Script: at + "S! close"},
			BadServer{Name: verb + " reset", About: "resets the connection at " + verb, Script: at + "S! reset"},
			BadServer{Name: verb + " busy", About: "answers " + verb + " with 421, and closes the connection", Script: at + "S: 421 4.3.2 Try again later"},
			BadServer{Name: verb + " of a wrong code", About: "answers " + verb + " with " + wrong, Script: at + Script("S: "+wrong+"\nC*")},
			BadServer{Name: verb + " of no code", About: "answers " + verb + " with no reply of SMTP", Script: at + "S: OK, thank you\nC*"},
			BadServer{Name: verb + " of octets", About: "answers " + verb + " with garbage", Script: at + `S* \0\xff\x1b[2J\r\n`},
			BadServer{Name: verb + " without end", About: "answers " + verb + " without end", Script: at + `S* 250-OK\r\n`},
		)
	}
	return all
}

// badChunks offer CHUNKING (RFC 3030), and misbehave at what comes after RCPT.
func badChunks() []BadServer {
	const rcpt = hello + "S: 250-mx.example.com\nS: 250-PIPELINING\nS: 250 CHUNKING\nG: RCPT\nS: 250 2.1.5 OK\nC: ...\n"
	return []BadServer{
		{Name: "chunk without a reply", About: "offers CHUNKING, and does not answer BDAT", Script: rcpt + "C*"},
		{Name: "chunk not read", About: "offers CHUNKING, and reads nothing after BDAT", Script: rcpt + "W:"},
		{Name: "chunk closed", About: "offers CHUNKING, and closes the connection at BDAT", Script: rcpt + "S! close"},
		{Name: "chunk reset", About: "offers CHUNKING, and resets the connection at BDAT", Script: rcpt + "S! reset"},
		{Name: "chunk of a wrong code", About: "offers CHUNKING, and answers BDAT with 354", Script: rcpt + "S: 354 Go ahead\nC*"},
		{Name: "chunk cut off", About: "offers CHUNKING, and closes the connection in the reply to BDAT", Script: rcpt + "S> 250 2.0.0"},
	}
}

// badMessages misbehave from the message on.
func badMessages() []BadServer {
	const data, end = "G: DATA\nS: 354 Go ahead\n", "G: .\n"
	return []BadServer{
		{Name: "message not read", About: "asks for the message and reads nothing of it", Script: data + "W:"},
		{Name: "message closed", About: "asks for the message and closes the connection", Script: data + "S! close"},
		{Name: "message reset", About: "asks for the message and resets the connection", Script: data + "S! reset"},
		{Name: "message busy", About: "answers 421 in the middle of the message", Script: data + "S: 421 4.3.2 Shutting down\nS! half-close\nC*"},
		{Name: "end without a reply", About: "takes the message and does not answer", Script: end + "C*"},
		{Name: "end closed", About: "takes the message and closes the connection: who knows what became of it", Script: end + "S! close"},
		{Name: "end reset", About: "takes the message and resets the connection", Script: end + "S! reset"},
		{Name: "end cut off", About: "closes the connection in the middle of its consent: a line without its end is no reply", Script: end + "S> 250 2.0.0 OK"},
		{Name: "end half a reply", About: "closes the connection in a reply of two lines", Script: end + "S: 250-2.0.0 OK so far"},
		{Name: "end busy", About: "answers the message with 421", Script: end + "S: 421 4.3.2 Shutting down"},
		{Name: "end of data", About: "answers the message with 354", Script: end + "S: 354 Go on\nC*"},
		{Name: "end of no code", About: "answers the message with no reply of SMTP", Script: end + "S: OK, thank you\nC*"},
		{Name: "end without end", About: "answers the message without end", Script: end + `S* 250-OK\r\n`},

		{Name: "delivered and closed", About: "accepts the message and closes the connection", Script: end + "S: 250 2.0.0 OK", Delivered: true},
		{Name: "delivered, no goodbye", About: "accepts the message and does not answer QUIT", Script: end + "S: 250 2.0.0 OK\nC*", Delivered: true},
		{Name: "delivered, goodbye of octets", About: "accepts the message and answers QUIT with garbage",
			Script: end + "S: 250 2.0.0 OK\nG: QUIT\n" + `S* \0\xff\r\n`, Delivered: true},
		{Name: "delivered, goodbye refused", About: "accepts the message and refuses QUIT", Script: end + "S: 250 2.0.0 OK\nG: QUIT\nS: 550 5.7.1 Stay", Delivered: true},
	}
}
