// Clear all message extension keys
let promise = chat.deleteMessageExtensions(message);
promise.then(function(imResponse) {
// Cleared message extensions successfully
console.log('deleteMessageExtensions ok:', imResponse)
}).catch(function(imError) {
// Failed to clear message extensions
console.warn('deleteMessageExtensions error:', imError);
});
