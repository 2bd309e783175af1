// Delete message extension key
let promise = chat.deleteMessageExtensions(message, ['a', 'b']);
promise.then(function(imResponse) {
// Deleted message extensions successfully
const { extensions } = imResponse.data;
extensions.forEach((item) => {
const { code, key, value } = item;
if (code === 23001) {
// Delete key conflict detected. Please retry as needed based on the returned latest extension info
}
});
}).catch(function(imError) {
// Failed to delete message extensions
console.warn('deleteMessageExtensions error:', imError);
});
