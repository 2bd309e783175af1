// Names and values of the mirrored API.

/* global __VERSION__ -- that of Cargo.toml, put in by `cargo xtask build` */
export const VERSION = __VERSION__;

export const EVENT = Object.freeze({
  SDK_READY: 'sdkStateReady',
  SDK_NOT_READY: 'sdkStateNotReady',
  MESSAGE_RECEIVED: 'onMessageReceived',
  MESSAGE_EXTENSIONS_UPDATED: 'onMessageExtensionsUpdated',
  MESSAGE_EXTENSIONS_DELETED: 'onMessageExtensionsDeleted',
  MESSAGE_EXTENSIONS_CONFLICT: 'onMessageExtensionsConflict',
  ERROR: 'error',
});

export const TYPES = Object.freeze({
  CONV_C2C: 'C2C',
  CONV_GROUP: 'GROUP',
  GRP_WORK: 'Private',
  GRP_PUBLIC: 'Public',
  GRP_MEETING: 'ChatRoom',
  GRP_AVCHATROOM: 'AVChatRoom',
  GRP_COMMUNITY: 'Community',
});

// The regional domains of the REST API.
export const ENDPOINTS = Object.freeze({
  CHINA: 'https://console.tim.qq.com',
  SINGAPORE: 'https://adminapisgp.im.qcloud.com',
  SEOUL: 'https://adminapikr.im.qcloud.com',
  FRANKFURT: 'https://adminapiger.im.qcloud.com',
  SILICON_VALLEY: 'https://adminapiusa.im.qcloud.com',
  JAKARTA: 'https://adminapiidn.im.qcloud.com',
});
