let promise = chat.getMessageExtensions(message);
promise.then(function(imResponse) {
// Got message extensions successfully
const { extensions } = imResponse.data;
extensions.forEach((item) => {
const { key, value } = item;
// key - Message extension key
// value - Value corresponding to the message extension key
});
}).catch(function(imError) {
// Failed to get message extensions
console.warn('getMessageExtensions error:', imError);
});
