package smtp

// httpMethods begin a request of HTTP (RFC 9110 section 9.3, RFC 5789).
var httpMethods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "CONNECT", "OPTIONS"}

// http hangs up on a browser. Any web page can have it post to any port from where
// the browser is, and a server that passes over the header as so many unknown
// commands would run the content, which is the page's, as this client's.
func http(*session, string) error { return errHTTP }
