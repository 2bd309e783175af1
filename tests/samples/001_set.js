let promise = chat.setMessageExtensions(message, [{ key: 'a', value: '1' }, { key: 'b', value: '2' }]);
promise.then(function(imResponse) {
// Set message extensions successfully
const { extensions } = imResponse.data;
extensions.forEach((item) => {
const { code, key, value } = item;
if (code === 23001) {
// Key conflict detected. Please retry as needed based on the returned latest extension info
}
});
}).catch(function(imError) {
// Failed to set message extensions
console.warn('setMessageExtensions error:', imError);
});
