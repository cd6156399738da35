// What the page says, in two languages. The questions come from the study.

const en = {
  title: "What do you think?",
  language: "中文",
  intro:
    "You will be shown pictures and asked about each. There is no right or wrong: " +
    "say what you see. Your answers are stored with their time, and nothing about you.",
  keys: "With a keyboard: press a number to answer, and Enter to go on.",
  start: "Start",
  next: "Next",
  progress: "{done} of {total}",
  reference: "Starting picture",
  judged: "The picture",
  numbered: "Picture {n}",
  human: "A person",
  machine: "A machine",
  thanks: "Thank you! That was all.",
  closed: "This study has ended. Thank you for your interest.",
  connection: "There is no connection. Your answer is still here: try again in a moment.",
  full: "This study has all the people it can take.",
  failed: "The server did not take this: {code}.",
};

const zh = {
  title: "你觉得怎么样？",
  language: "English",
  intro:
    "接下来会给你看一些图片，每张都有问题。答案没有对错，看到什么就答什么。" +
    "只保存你的回答和时间，不保存任何个人信息。",
  keys: "用键盘时：按数字作答，按回车继续。",
  start: "开始",
  next: "下一个",
  progress: "{done} / {total}",
  reference: "原图",
  judged: "图片",
  numbered: "图片 {n}",
  human: "人",
  machine: "机器",
  thanks: "谢谢！已全部完成。",
  closed: "这项研究已经结束，谢谢你的关注。",
  connection: "没有连接。你的回答还在这里：请稍后再试。",
  full: "这项研究的人数已满。",
  failed: "服务器没有接受：{code}。",
};

const languages = { en, zh };
let language = "en";

export function setLanguage(name) {
  language = name in languages ? name : "en";
}

export const currentLanguage = () => language;

/** The text `key`, with `{name}` replaced by the values. */
export function text(key, values = {}) {
  return languages[language][key].replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}
