package smtp

// Uniform is for errors that no dialogue makes.
var Uniform = uniform
